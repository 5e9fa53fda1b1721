import { setTimeout as pause } from "node:timers/promises";

/** What a server answered with 2xx, or with a refusal that is final. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const retryPauseMs = 50;
const timeoutMs = 15_000;
/** A refusal that a repeat does not change. */
const finals: ReadonlySet<number> = new Set([404, 409, 422]);

/**
 * Asks until the server has answered, however often it dies meanwhile; undefined when the signal ends it first. Throws for an
 * answer that says that the question is wrong.
 */
export async function untilAnswered(
  url: () => string,
  method: string,
  path: string,
  options: { readonly body?: unknown; readonly headers?: Record<string, string>; readonly signal?: AbortSignal } = {},
): Promise<Answer | undefined> {
  const { body, headers, signal } = options;
  while (signal?.aborted !== true) {
    const response = await asked(url() + path, method, body, headers).catch(() => undefined);
    if (response !== undefined && (response.status < 300 || finals.has(response.status))) return response;
    if (response !== undefined && response.status < 500 && response.status !== 429) {
      throw new Error(`${method} ${path} was answered with ${response.status}: ${JSON.stringify(response.body)}`);
    }
    // Nobody can tell whether a server that died had stored it; only a repeat can.
    await pause(retryPauseMs);
  }
  return undefined;
}

async function asked(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { status: response.status, body: JSON.parse(await response.text()) as Answer["body"] };
}
