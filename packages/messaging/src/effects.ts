import type { Outcome } from "./service.ts";

/** What an adapter knows of the call besides its input. */
export interface EffectCall {
  /** The same for every attempt of one effect, and for no other effect. */
  readonly key: string;
  /** From 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/** An attempt that surely did nothing; it is made again. */
export interface TryAgain {
  readonly kind: "again";
  readonly reason: string;
  /** Not before this long; the engine's backoff when undefined. */
  readonly afterMs?: number | undefined;
  /**
   * The other side takes other calls: only this one has to wait. Otherwise `afterMs` holds up all calls of the queue, and an
   * answer without it counts as a failure of the other side, as `unknown` does. When calls of several entities fail in a
   * row the queue's calls are held up, but for a single one from time to time.
   */
  readonly onlyThis?: true;
}

/**
 * The hands of one kind of effect. `call` resolves with what came of it, with `again` when it surely did nothing, or
 * with `unknown` when it may have happened; a rejection counts as `unknown`.
 *
 * `idempotent` says how an unknown attempt is cleared up. `find`: `find` asks the other side by our key, and
 * undefined means that it never happened, `again` that it cannot say yet. `key`: the same key is sent again, within `keyTtlMs` of the first attempt
 * and never later. `none`: it is simply made again, which may repeat it; refused for effects that move money.
 */
export interface EffectAdapter<I, O> {
  readonly idempotent: "key" | "find" | "none";
  /**
   * How long the other side remembers a key, in milliseconds; needed with `key`. With `find`, what it does not know of an
   * attempt that is older may have happened all the same; undefined: it remembers for ever.
   */
  readonly keyTtlMs?: number;
  /** How many calls run at once for the whole shop. Default 32. */
  readonly concurrency?: number;
  /** An attempt's time limit in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  call(input: I, call: EffectCall): Promise<Outcome<O> | TryAgain>;
  find?(input: I, call: EffectCall): Promise<Outcome<O> | TryAgain | undefined>;
}

/** Any adapter, where the types of its input and result do not matter. */
// oxlint-disable-next-line no-explicit-any -- an adapter both takes and gives its types; only any fits all of them
export type AnyEffectAdapter = EffectAdapter<any, any>;
