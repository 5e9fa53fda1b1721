/** Chance that can be had again by its seed. */
export interface Chance {
  readonly seed: number;
  /** A number in [0, 1). */
  next(): number;
  /** A whole number of milliseconds between two, both included. */
  between(fromMs: number, toMs: number): number;
  of<T>(all: readonly T[]): T;
}

/** The generator mulberry32, which needs 32 bits of state and passes for chance. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    seed,
    next,
    between: (fromMs, toMs) => fromMs + Math.floor(next() * (toMs - fromMs + 1)),
    of: (all) => all[Math.floor(next() * all.length)]!,
  };
}
