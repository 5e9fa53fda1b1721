import type { Stamp } from "../message.ts";

/** What a stamped message is to a reader with this mark for its source. */
export type Link = "repeat" | "next" | "gap";

/**
 * The reader's proof that it sees every message of a source once and in order. `mark` is the last `n` taken of the
 * source, undefined before the first. It is negative while only one message was taken and more may lie before it, for
 * then nothing says yet where the chain begins.
 */
export function linkOf(mark: number | undefined, stamp: Stamp): Link {
  if (mark === undefined) return "next";
  const last = Math.abs(mark);
  if (stamp.n <= last) return "repeat";
  return stamp.prev <= last || mark < 0 ? "next" : "gap";
}

/** The mark after this message was taken. */
export function markAfter(mark: number | undefined, stamp: Stamp): number {
  const joined = stamp.prev === 0 || (mark !== undefined && stamp.prev <= Math.abs(mark));
  return joined ? stamp.n : -stamp.n;
}
