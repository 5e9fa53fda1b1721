import type { World } from "@waybill/messaging";
import { callOff, onAbort } from "./on-abort.ts";
import { idOf, type Rolls } from "./rolls.ts";
import type { Scheduler } from "./scheduler.ts";

/** A line that a process wrote to its log. */
export interface Line {
  readonly atMs: number;
  readonly process: string;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/**
 * A process: code that goes on only when something from outside reaches it. Killed, nothing reaches it any more; paused,
 * everything waits until it goes on.
 */
export class SimulatedProcess {
  readonly name: string;
  readonly world: World;
  readonly #scheduler: Scheduler;
  #isAlive = true;
  /** What reached it while it was paused; undefined while it runs. */
  #held: (() => void)[] | undefined;

  constructor(name: string, scheduler: Scheduler, chance: Rolls, log: (line: Line) => void) {
    this.name = name;
    this.#scheduler = scheduler;
    this.world = {
      monotonicMs: () => scheduler.nowMs,
      newId: () => idOf(chance.next),
      random: chance.next,
      sleep: (ms, signal) => this.#sleep(ms, signal),
      turn: async () => {},
      log: (level, text, facts = {}) => log({ atMs: scheduler.nowMs, process: name, level, text, facts }),
    };
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#held !== undefined;
  }

  /** Ends it between two awaits: whatever it waits for never comes. */
  kill(): void {
    this.#isAlive = false;
    this.#held = undefined;
  }

  /** Stops it where it is; it notices only that time has passed. */
  pause(ms: number): void {
    if (!this.#isAlive || this.isPaused) return;
    this.#held = [];
    this.#scheduler.after(ms, () => this.#goOn());
  }

  #goOn(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const run of held) this.#scheduler.after(0, () => this.reach(run));
  }

  /** Runs something in this process: now, once it goes on, or never. */
  reach(run: () => void): void {
    if (!this.#isAlive) return;
    if (this.#held === undefined) run();
    else this.#held.push(run);
  }

  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        pending.run = undefined;
        resolve();
      };
      const pending = this.#scheduler.after(Math.min(ms, 86_400_000), () => {
        if (signal !== undefined) callOff(signal, end);
        this.reach(resolve);
      });
      if (signal !== undefined) onAbort(signal, end);
    });
  }
}
