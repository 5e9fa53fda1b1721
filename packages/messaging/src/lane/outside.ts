import { messageOf } from "../errors.ts";
import type { AnyEffectAdapter, EffectCall, TryAgain } from "../effects.ts";
import type { AnyEffectType, Outcome } from "../service.ts";
import type { EffectRow } from "../store.ts";

/** What to do with an effect after an attempt. */
export type Verdict =
  | {
      readonly kind: "settled";
      readonly outcome: Outcome<unknown>;
      /** Nothing was asked of the other side. */
      readonly noCall?: true;
    }
  /** Try again after a pause; `doubt`: the attempt may have done something, so ask before repeating. */
  | {
      readonly kind: "again";
      readonly reason: string;
      readonly afterMs: number | undefined;
      readonly doubt: boolean;
      readonly onlyThis?: true | undefined;
    };

/** A call under way: its signal is made only for adapters that look at it, and its end can be forced. */
export class Call implements EffectCall {
  readonly key: string;
  readonly attempt: number;
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #onAbort: ((reason: Error) => void) | undefined;

  constructor(row: EffectRow) {
    this.key = row.id;
    this.attempt = row.attempts + 1;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** Ends the call, whether its adapter listens or not; what it did is then unknown. */
  abort(text: string): void {
    this.#reason = new Error(text);
    this.#controller?.abort(this.#reason);
    this.#onAbort?.(this.#reason);
  }

  /** The answer, or a rejection as soon as the call is aborted. */
  within<T>(answer: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#reason !== undefined) reject(this.#reason);
      this.#onAbort = reject;
      answer.then(resolve, reject);
    });
  }
}

/**
 * One attempt at an effect, with the doubt of the attempts before it cleared up first. Never rejects.
 * @param doubt whether an earlier attempt may have happened without our knowing what came of it.
 * @param nowMs the store's clock.
 */
export async function attemptEffect(
  type: AnyEffectType,
  adapter: AnyEffectAdapter,
  row: EffectRow,
  input: unknown,
  doubt: boolean,
  nowMs: number,
  call: Call,
): Promise<Verdict> {
  const late = tooLate(type, adapter, row, doubt, nowMs);
  if (late !== undefined) return { kind: "settled", outcome: late, noCall: true };
  if (doubt && adapter.find !== undefined) {
    const found = await asked(adapter, input, call);
    if (found !== undefined) return found;
    if (isForgotten(adapter, row, nowMs)) return { kind: "settled", outcome: forgotten(row, nowMs) };
  }
  const answer = await called(adapter, input, call);
  if (answer.kind === "again") return { ...answer, afterMs: answer.afterMs, doubt: false };
  if (answer.kind !== "unknown") return { kind: "settled", outcome: answer };
  if (type.atMostOnce) return { kind: "settled", outcome: answer };
  return { kind: "again", reason: answer.reason, afterMs: undefined, doubt: true };
}

/** The outcome of an effect that must not be attempted any more. */
function tooLate(
  type: AnyEffectType,
  adapter: AnyEffectAdapter,
  row: EffectRow,
  doubt: boolean,
  nowMs: number,
): Outcome<unknown> | undefined {
  const ageMs = ageOf(row, nowMs);
  if (doubt && type.atMostOnce)
    return { kind: "unknown", reason: "The call was interrupted, and is made at most once." };
  if (doubt && adapter.idempotent === "key" && isForgotten(adapter, row, nowMs)) return forgotten(row, nowMs);
  if (type.giveUpMs !== undefined && ageMs >= type.giveUpMs) {
    const reason = `Given up after ${ageMs} ms: ${row.error ?? "no answer"}`;
    return doubt ? { kind: "unknown", reason } : { kind: "refused", reason };
  }
  return undefined;
}

function ageOf(row: EffectRow, nowMs: number): number {
  return nowMs - (row.firstMs ?? row.dueMs);
}

/** Whether the other side may remember the key of the first attempt no longer. */
function isForgotten({ keyTtlMs }: AnyEffectAdapter, row: EffectRow, nowMs: number): boolean {
  return keyTtlMs !== undefined && ageOf(row, nowMs) >= keyTtlMs;
}

function forgotten(row: EffectRow, nowMs: number): Outcome<never> {
  const after = `after ${ageOf(row, nowMs)} ms`;
  const reason = `The other side may have forgotten the call's key ${after}: ${row.error ?? "interrupted"}`;
  return { kind: "unknown", reason };
}

/** An effect that this build no longer has: its service hears that nobody knows. */
export function unbound(row: EffectRow): Verdict {
  const outcome = { kind: "unknown", reason: `This build has no effect ${row.name}.` } as const;
  return { kind: "settled", outcome, noCall: true };
}

/** What the other side says of our key; undefined when it never saw it. */
async function asked(adapter: AnyEffectAdapter, input: unknown, call: Call): Promise<Verdict | undefined> {
  try {
    const outcome: Outcome<unknown> | TryAgain | undefined = await call.within(adapter.find!(input, call));
    if (outcome === undefined) return undefined;
    if (outcome.kind === "again") return { ...outcome, afterMs: outcome.afterMs, doubt: true };
    if (outcome.kind !== "unknown") return { kind: "settled", outcome };
    return { kind: "again", reason: outcome.reason, afterMs: undefined, doubt: true };
  } catch (error) {
    return { kind: "again", reason: messageOf(error), afterMs: undefined, doubt: true };
  }
}

async function called(adapter: AnyEffectAdapter, input: unknown, call: Call): Promise<Outcome<unknown> | TryAgain> {
  try {
    return await call.within(adapter.call(input, call));
  } catch (error) {
    return { kind: "unknown", reason: messageOf(error) };
  }
}
