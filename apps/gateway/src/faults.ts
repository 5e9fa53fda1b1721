/** What can be made to go wrong while the gateway runs. Rates are chances from 0 to 1 for each attempt. */
export interface Faults {
  /** Answered with 500; nothing is done. */
  readonly errorRate: number;
  /** Done, then the connection is cut instead of an answer. */
  readonly lostAnswerRate: number;
  /** Left waiting for `slowMs` before anything is done; the key counts as in flight meanwhile. */
  readonly slowRate: number;
  readonly slowMs: number;
  /** Every operation and look-up is answered with 503; nothing is done. */
  readonly unavailable: boolean;
  /** Operations and look-ups beyond so many within a second are answered with 429; null: any number. */
  readonly callsPerSecond: number | null;
  /** Keys are forgotten after this long, so that a repeat is a new operation; null remembers them for ever. */
  readonly forgetKeysAfterMs: number | null;
}

export const noFaults: Faults = {
  errorRate: 0,
  lostAnswerRate: 0,
  slowRate: 0,
  slowMs: 0,
  unavailable: false,
  callsPerSecond: null,
  forgetKeysAfterMs: null,
};
