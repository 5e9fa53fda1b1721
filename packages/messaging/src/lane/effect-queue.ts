import type { EffectKey, EffectRow } from "../store.ts";
import * as breaker from "./breaker.ts";
import type { Breaker } from "./breaker.ts";
import type { Verdict } from "./outside.ts";

/** The effects of one entity and queue, in order; only the first runs. */
export interface Chain {
  readonly name: string;
  readonly rows: EffectRow[];
  /** More may lie behind the last row in the table. */
  more: boolean;
  /** A row was added to the table while memory did not hold the chain's end. */
  missed: boolean;
  /** An attempt at the first row may have happened without our knowing. */
  doubt: boolean;
  /** Ends the pause after a failure. */
  wake?: (() => void) | undefined;
}

/** Whom queues call: those whose names begin alike, up to a slash, call the same. */
export interface Side {
  readonly name: string;
  /** Whether it is called. */
  breaker: Breaker;
  /** Somebody comes back when it may be called again. */
  isWaiting: boolean;
}

/** The calls of one queue, as far as memory holds them. */
export interface Queue {
  readonly name: string;
  readonly side: Side;
  readonly chains: Map<string, Chain>;
  readonly ready: Chain[];
  running: number;
  /** Heads of this queue lie in the table that memory does not hold. */
  unloaded: boolean;
}

export function emptyQueue(name: string, side: Side, unloaded: boolean): Queue {
  return { name, side, chains: new Map(), ready: [], running: 0, unloaded };
}

/** The side that a queue calls: one of these, or a new one among them. */
export function sideOf(queue: string, sides: Map<string, Side>): Side {
  const name = queue.split("/", 1)[0]!;
  const known = sides.get(name);
  if (known !== undefined) return known;
  const side: Side = { name, breaker: breaker.closed, isWaiting: false };
  sides.set(name, side);
  return side;
}

/** Lets the other queues of a side that takes one call at a time go first from now on. */
export function goBehind(queue: Queue, queues: Map<string, Queue>): void {
  queues.delete(queue.name);
  queues.set(queue.name, queue);
}

/** A side that failed is there again: whoever waits only because it failed goes on at once. */
export function wakeAll(side: Side, queues: Iterable<Queue>): void {
  for (const queue of queues) if (queue.side === side) for (const chain of queue.chains.values()) chain.wake?.();
}

/** After the first failure, the second, and so on. */
const backoffMs = [100, 500, 2_000, 10_000, 30_000, 60_000] as const;

/** The row of an attempt that is to be repeated. */
export function triedAgain(row: EffectRow, verdict: Verdict & { kind: "again" }, nowMs: number): EffectRow {
  const wait = verdict.afterMs ?? backoffMs[Math.min(row.attempts, backoffMs.length - 1)]!;
  const firstMs = row.firstMs ?? Math.min(row.dueMs, nowMs);
  const error = verdict.reason.slice(0, 500);
  return { ...row, attempts: row.attempts + 1, firstMs, dueMs: nowMs + wait, error };
}

export function chainName(of: EffectKey): string {
  return `${of.partition}/${of.key}`;
}

/** What an attempt tells of the other side. `isProbe`: it was the only one that was let through. */
export function heard(of: Breaker, chain: Chain, verdict: Verdict, isProbe: boolean, nowMs: number): Breaker {
  if (verdict.kind === "settled") {
    if (verdict.noCall === true) return breaker.untold(of, isProbe);
    return verdict.outcome.kind === "unknown" ? breaker.failed(of, chain.name, isProbe, nowMs) : breaker.answered(of);
  }
  if (verdict.onlyThis === true) return breaker.answered(of);
  if (verdict.afterMs === undefined) return breaker.failed(of, chain.name, isProbe, nowMs);
  return breaker.held(breaker.answered(of), nowMs + verdict.afterMs);
}
