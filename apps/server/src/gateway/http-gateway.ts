import type { EffectCall } from "@waybill/messaging";
import type { GatewayAnswer, PaymentGateway } from "@waybill/payments";
import { Pool } from "undici";
import { answerOf, foundOf, neverSent, type HttpAnswer } from "./http-answers.ts";

export interface HttpGatewayOptions {
  /** Where the gateway listens: `http://127.0.0.1:8081`. Its path is not used. */
  readonly url: string;
  /** How long the gateway remembers an idempotency key, in milliseconds. Default 24 hours. */
  readonly keyTtlMs?: number;
  /** How long a call may take, waiting for a free connection included, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** How many connections are open at most; what comes beyond waits. Default 128. */
  readonly connections?: number;
}

/** No answer of the gateway is anywhere near this large. */
const answerBytesMax = 1_048_576;

/**
 * A payment gateway over HTTP, with kept and bounded connections and one request at a time on each. Closing it waits
 * for the calls under way.
 */
export function httpGateway(options: HttpGatewayOptions): PaymentGateway & AsyncDisposable {
  const { url, keyTtlMs = 86_400_000, timeoutMs = 10_000, connections = 128 } = options;
  const pool = new Pool(new URL(url).origin, {
    connections,
    pipelining: 1,
    connect: { timeout: timeoutMs },
    keepAliveTimeout: 30_000,
    maxResponseSize: answerBytesMax,
    // Each call has a time limit of its own, which is exact; these would only fire around it.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  async function send(method: "GET" | "POST", path: string, signal: AbortSignal, key?: string, body?: object) {
    using limit = deadline(signal, timeoutMs);
    const headers = key === undefined ? {} : { "idempotency-key": key, "content-type": "application/json" };
    const response = await pool.request({
      method,
      path,
      headers,
      signal: limit.signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: HttpAnswer = {
      status: response.statusCode,
      retryAfter: headerOf(response.headers["retry-after"]),
      text: await response.body.text(),
    };
    return answer;
  }

  async function operate(path: string, call: EffectCall, body: object): GatewayAnswer {
    if (call.signal.aborted) return { kind: "again", reason: "stopped before it was sent" };
    try {
      return answerOf(await send("POST", path, call.signal, wireKey(call.key), body), Date.now());
    } catch (error) {
      const reason = reasonOf(error);
      return neverSent(error) ? { kind: "again", reason } : { kind: "unknown", reason };
    }
  }

  return {
    keyTtlMs,
    concurrency: connections,
    authorise: ({ reference, amount, token }, call) =>
      operate("/payments", call, {
        reference,
        amount: amount.minor,
        currency: amount.currency,
        token,
      }),
    capture: ({ reference, paymentId, amount }, call) =>
      operate(pathOf(paymentId, "capture"), call, {
        reference,
        amount: amount.minor,
        currency: amount.currency,
      }),
    void: ({ reference, paymentId }, call) => operate(pathOf(paymentId, "void"), call, { reference }),
    refund: ({ reference, paymentId, amount }, call) =>
      operate(pathOf(paymentId, "refund"), call, {
        reference,
        amount: amount.minor,
        currency: amount.currency,
      }),
    find: async (key, signal) => {
      const path = `/operations?key=${encodeURIComponent(wireKey(key))}`;
      return foundOf(await send("GET", path, signal), Date.now());
    },
    [Symbol.asyncDispose]: () => pool.close(),
  };
}

function pathOf(paymentId: string, what: string): string {
  return `/payments/${encodeURIComponent(paymentId)}/${what}`;
}

/** A header holds visible ASCII only. What does not fit, and the sign that marks it, is percent-encoded. */
function wireKey(key: string): string {
  return /^[!-$&-~]+$/.test(key) ? key : encodeURIComponent(key);
}

function headerOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: string };
  return `the gateway gave no answer: ${typeof code === "string" ? `${code} ` : ""}${message ?? String(error)}`;
}

/** A signal that follows `outer` and is aborted after `ms` at the latest; disposing it lets go of both. */
function deadline(outer: AbortSignal, ms: number): { signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const follow = () => controller.abort(outer.reason);
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${ms} ms`)), ms);
  if (outer.aborted) follow();
  else outer.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      outer.removeEventListener("abort", follow);
    },
  };
}
