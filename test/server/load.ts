import { setTimeout as pause } from "node:timers/promises";

export interface LoadOptions {
  /** Where the server listens, also after it was started again. */
  readonly url: () => string;
  readonly random: () => number;
  readonly skus: readonly string[];
  readonly tokens: readonly string[];
  readonly clients: number;
  /** No more orders are begun in a second; left out: as many as are taken. */
  readonly perSecond?: number;
  /** One order in so many is cancelled once it is acknowledged. */
  readonly cancelEvery: number;
  /** What the keys of its orders begin with. Default "key". */
  readonly name?: string;
}

/** Disposing it gives up what is not acknowledged. */
export interface Load extends AsyncDisposable {
  /** Keys with the id of their order, as soon as the server has answered with 2xx. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** Answers that were neither 2xx nor a refusal that may pass: there must be none. */
  readonly strange: readonly string[];
  /** Places no new orders, and resolves when each that was begun is acknowledged. */
  finish(): Promise<void>;
}

interface Wanted {
  readonly key: string;
  readonly body: string;
  readonly isCancelled: boolean;
}

/** Clients that place orders as fast as they are taken, each again with its key until it is acknowledged. */
export function startLoad(options: LoadOptions): Load {
  const acknowledged = new Map<string, string>();
  const strange: string[] = [];
  const beganMs = performance.now();
  let begun = 0;
  let isOver = false;
  let isGivenUp = false;

  function wanted(): Wanted {
    const n = begun++;
    const body = JSON.stringify(orderOf(options, n));
    return {
      key: `${options.name ?? "key"}-${n}`,
      body,
      isCancelled: n % options.cancelEvery === options.cancelEvery - 1,
    };
  }

  /** The answer's body when it is 2xx; undefined when it must be tried again. */
  async function post(
    path: string,
    headers: Record<string, string>,
    body: string,
  ): Promise<{ orderId: string } | undefined> {
    const sent = { method: "POST", headers: { "content-type": "application/json", ...headers }, body };
    try {
      const response = await fetch(options.url() + path, { ...sent, signal: AbortSignal.timeout(10_000) });
      const text = await response.text();
      if (response.ok) return JSON.parse(text) as { orderId: string };
      if (response.status !== 503 && response.status !== 409) strange.push(`${response.status} ${text}`);
      return response.status === 409 ? { orderId: "" } : undefined;
    } catch {
      // The server died: whether it has the order only a repeat can tell.
      return undefined;
    }
  }

  async function untilAnswered(path: string, headers: Record<string, string>, body: string): Promise<string> {
    while (!isGivenUp) {
      const answer = await post(path, headers, body);
      if (answer !== undefined) return answer.orderId;
      await pause(20);
    }
    return "";
  }

  async function client(): Promise<void> {
    while (!isOver) {
      const { key, body, isCancelled } = wanted();
      const dueMs = beganMs + (begun * 1_000) / (options.perSecond ?? Infinity);
      await pause(Math.max(0, dueMs - performance.now()));
      const orderId = await untilAnswered("/orders", { "idempotency-key": key }, body);
      if (isGivenUp) return;
      acknowledged.set(key, orderId);
      if (isCancelled) await untilAnswered(`/orders/${orderId}/cancel`, {}, "{}");
    }
  }
  const clients = Array.from({ length: options.clients }, client);

  async function finish(): Promise<void> {
    isOver = true;
    await Promise.all(clients);
  }

  return {
    acknowledged,
    strange,
    finish,
    async [Symbol.asyncDispose]() {
      isGivenUp = true;
      await finish();
    },
  };
}

function orderOf({ random, skus, tokens }: LoadOptions, n: number) {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const lines = Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({
    sku: pick(skus),
    quantity: 1 + Math.floor(random() * 3),
  }));
  const customer = { id: `c-${n}`, email: `c-${n}@customers.example` };
  return { customer, currency: "EUR", lines, payment: { token: pick(tokens) } };
}

/** A generator of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
