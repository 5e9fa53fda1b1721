import type { Outcome, TryAgain } from "@waybill/messaging";
import type { Receipt } from "@waybill/payments";

/** The part of an HTTP response that means something here. */
export interface HttpAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

/**
 * What an answer to an operation means. A 4xx is a final no only if it is a problem document with a code: a page of
 * some proxy in between must not refuse an order.
 */
export function answerOf(answer: HttpAnswer, nowMs: number): Outcome<Receipt> | TryAgain {
  const { status } = answer;
  const body = parsed(answer.text);
  if (status === 200 || status === 201) return operationOutcome(body) ?? notUnderstood(status);
  const code = textAt(body, "code");
  if (status === 429) return patience(answer, code, nowMs);
  if (code === undefined || status < 400 || status >= 500) return notUnderstood(status, code);
  if (status === 409) return underWay(code);
  // A request that was not let in did nothing by itself, and may be let in later.
  if (status === 401 || status === 403 || status === 408) return again(code, undefined);
  return { kind: "refused", reason: code };
}

/** What an answer to a look-up by key means. Throws when it leaves the question open. */
export function foundOf(answer: HttpAnswer, nowMs: number): Outcome<Receipt> | TryAgain | undefined {
  const body = parsed(answer.text);
  const code = textAt(body, "code");
  if (answer.status === 404 && code === "operation_unknown") return undefined;
  if (answer.status === 429) return patience(answer, code, nowMs);
  if (answer.status === 409 && code !== undefined) return underWay(code);
  const outcome = answer.status === 200 ? operationOutcome(body) : undefined;
  if (outcome !== undefined) return outcome;
  throw new Error(`The gateway cannot say what became of the key: ${answer.status} ${code ?? "without a code"}.`);
}

const beforeSending: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "EAI_AGAIN",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Whether an error means that no connection came about, so that nothing was sent. */
export function neverSent(error: unknown): boolean {
  return error instanceof Error && beforeSending.has((error as NodeJS.ErrnoException).code);
}

/** A key that is under way holds up nobody else. */
function underWay(code: string): TryAgain {
  return { ...again(code, undefined), onlyThis: true };
}

/** A gateway that wants fewer calls holds up all of them. */
function patience({ retryAfter }: HttpAnswer, code = "rate_limited", nowMs: number): TryAgain {
  return again(code, patienceMs(retryAfter, nowMs));
}

function again(reason: string, afterMs: number | undefined): TryAgain {
  return { kind: "again", reason, afterMs };
}

function notUnderstood(status: number, code = "no code"): Outcome<Receipt> {
  return { kind: "unknown", reason: `the gateway answered ${status}, ${code}` };
}

function operationOutcome(body: unknown): Outcome<Receipt> | undefined {
  const paymentId = textAt(body, "paymentId");
  const operationId = textAt(body, "id");
  const result = textAt(body, "result");
  if (paymentId === undefined || operationId === undefined) return undefined;
  if (result === "approved") return { kind: "done", value: { paymentId, operationId } };
  const reason = textAt(body, "reason");
  return result === "refused" && reason !== undefined ? { kind: "refused", reason } : undefined;
}

const patienceMsDefault = 1_000;
/** No calls are made meanwhile: more than this is asked of nobody. */
const patienceMsMax = 300_000;

/** For how long a gateway wants no more calls. */
function patienceMs(header: string | undefined, nowMs: number): number {
  return Math.min(retryAfterMs(header, nowMs) ?? patienceMsDefault, patienceMsMax);
}

/** Retry-After, in seconds or as a date (RFC 9110, 10.2.3), in milliseconds from now. */
function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(header)) return Number(header) * 1_000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textAt(body: unknown, member: string): string | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const value = (body as Record<string, unknown>)[member];
  return typeof value === "string" ? value : undefined;
}
