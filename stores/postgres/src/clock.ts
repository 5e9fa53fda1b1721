/** The database's clock, as last told and carried on by a monotonic clock. */
export interface Clock {
  /** The clock that carries it on. */
  monotonicMs(): number;
  /** Whole milliseconds; never fewer than before. */
  nowMs(): number;
  /** The database said `nowMs` at some moment between these two of the monotonic clock. */
  told(nowMs: number, askedMs: number, answeredMs: number): void;
}

/**
 * A clock that follows another one by what it is told now and then. An answer that is consistent with what it shows
 * already changes nothing, however long it was on its way.
 */
export function clockFrom(monotonicMs: () => number): Clock {
  let aheadMs = Number.NEGATIVE_INFINITY;
  let lastMs = 0;
  return {
    monotonicMs,
    nowMs() {
      lastMs = Math.max(lastMs, Math.floor(monotonicMs() + aheadMs));
      return lastMs;
    },
    told(nowMs, askedMs, answeredMs) {
      const least = nowMs - answeredMs;
      const most = nowMs - askedMs;
      aheadMs = Math.min(Math.max(aheadMs, least), most);
    },
  };
}
