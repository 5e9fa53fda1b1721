import { Trace } from "./trace.ts";
import { rolls, type Rolls } from "./rolls.ts";

/** How much may happen at one moment. */
const atOnceMax = 20_000;

/** Something that is going to happen. */
export interface Pending {
  readonly atMs: number;
  /** Orders what happens at the same moment. */
  readonly turn: number;
  /** undefined: it was called off. */
  run: (() => void) | undefined;
}

/**
 * Simulated time. Nothing happens but what was scheduled, one thing after the other, and each runs until all that it set
 * going waits again. What falls on the same moment comes in an order that the seed chooses.
 */
export class Scheduler {
  readonly trace = new Trace();
  readonly #turns: Rolls;
  readonly #heap: Pending[] = [];
  #nowMs = 0;

  constructor(seed: number) {
    this.#turns = rolls(seed, "turns");
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): Pending {
    const pending = { atMs: this.#nowMs + Math.max(0, ms), turn: this.#turns.next(), run };
    push(this.#heap, pending);
    return pending;
  }

  /** Lets happen what is due, until a moment or until `isOver`. */
  async run(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    // Whoever is not called from a microtask has promises of his own that come only after the next tick.
    await Promise.resolve();
    await settled();
    for (let atOnce = 0; !isOver(); atOnce++) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return;
      }
      pop(this.#heap);
      if (next.run === undefined) continue;
      if (next.atMs > this.#nowMs) atOnce = 0;
      else if (atOnce > atOnceMax) throw new Error("Something happens again and again, and no time passes.");
      this.#nowMs = next.atMs;
      this.trace.add(next.atMs);
      next.run();
      await settled();
    }
  }

  /** Forgets all that is still to come. */
  end(): void {
    this.#heap.length = 0;
  }
}

/** Resolves when everything that waits for nothing but its turn has had it: ticks come after all microtasks. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

function before(a: Pending, b: Pending): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.turn < b.turn);
}

function push(heap: Pending[], pending: Pending): void {
  let at = heap.length;
  heap.push(pending);
  while (at > 0) {
    const parent = (at - 1) >>> 1;
    if (!before(pending, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = pending;
}

function pop(heap: Pending[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
    if (!before(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
