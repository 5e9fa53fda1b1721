const secondMs = 1_000;

/** Counts calls within each second of the clock: whether one more is among the first `limit` of it. */
export function rateLimiter(now: () => number): (limit: number) => boolean {
  let second = 0;
  let calls = 0;
  return (limit) => {
    const current = Math.floor(now() / secondMs);
    if (current !== second) {
      second = current;
      calls = 0;
    }
    calls += 1;
    return calls <= limit;
  };
}
