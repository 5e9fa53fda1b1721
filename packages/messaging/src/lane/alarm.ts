import type { World } from "../world.ts";
import type { Bell } from "./wake.ts";

/** How often a lane that has nothing else to write writes what it owes, in milliseconds. */
const oweMsMax = 1_000;

/** Wakes a lane when something falls due by itself, and remembers since when it owes its store a commit. */
export class Alarm {
  readonly #world: World;
  readonly #bell: Bell;
  readonly #nowMs: () => number;
  readonly #stop: AbortSignal;
  #owedSinceMs: number | undefined;
  #setForMs = Infinity;

  /** @param nowMs the store's clock. */
  constructor(world: World, bell: Bell, nowMs: () => number, stop: AbortSignal) {
    this.#world = world;
    this.#bell = bell;
    this.#nowMs = nowMs;
    this.#stop = stop;
  }

  /** There is something to write that can wait for the next commit. */
  owe(): void {
    this.#owedSinceMs ??= this.#nowMs();
    this.#bell.ring();
  }

  /** All that is owed goes with the commit that is about to be made. */
  paid(): void {
    this.#owedSinceMs = undefined;
  }

  /** Whether what is owed must be written now, though there is nothing else. */
  isOverdue(nowMs: number): boolean {
    return this.#owedSinceMs !== undefined && nowMs - this.#owedSinceMs >= oweMsMax;
  }

  /** Rings the bell when what is owed is overdue, or at `nextDueMs` if that is earlier. */
  set(nowMs: number, nextDueMs: number): void {
    const due = Math.min(nextDueMs, this.#owedSinceMs === undefined ? Infinity : this.#owedSinceMs + oweMsMax);
    if (due >= this.#setForMs || due === Infinity) return;
    this.#setForMs = due;
    void this.#world.sleep(Math.max(0, due - nowMs), this.#stop).then(() => {
      if (this.#setForMs === due) this.#setForMs = Infinity;
      this.#bell.ring();
    });
  }
}
