import { setTimeout as pause } from "node:timers/promises";
import type { Chance } from "./chance.ts";
import { untilAnswered } from "./http-client.ts";

/** What the shop has acknowledged to its clients: what it must still know at the end. */
export interface Acknowledged {
  /** Orders by id, with what was asked for. */
  readonly orders: Map<string, WantedOrder>;
  /** Ids of orders whose cancel was acknowledged. */
  readonly cancels: Set<string>;
  /** Adjustments that were applied, by their ids. */
  readonly adjustments: Map<string, { readonly sku: string; readonly quantity: number }>;
}

export interface WantedOrder {
  readonly customer: { readonly id: string; readonly email: string };
  readonly currency: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly payment: { readonly token: string };
}

/** Clients that buy, cancel and deliver stock, each repeating itself until it is answered. */
export interface Load {
  readonly acknowledged: Acknowledged;
  /** Answers that make no sense; there must be none. */
  readonly strange: readonly string[];
  /** How many requests were begun. */
  readonly begun: number;
  /** Begins nothing new, and resolves when everything begun is acknowledged. */
  finish(): Promise<void>;
  /** Gives up at once. */
  abandon(): Promise<void>;
}

export interface LoadOptions {
  readonly url: () => string;
  readonly chance: Chance;
  readonly clients: number;
  /** How many orders a second all clients together place at most. */
  readonly ordersPerSecond: number;
  /** For how long the run lasts. */
  readonly minutes: number;
}

/** Customers who could not buy come again for so long. */
const behindMsMax = 5_000;

/** Most have plenty; the last two run out, so that some orders are refused. */
export const skus = Array.from({ length: 12 }, (_, n) => `sku-${n}`);
const scarce: ReadonlySet<string> = new Set(skus.slice(-2));
const quickTokens = [
  ...Array<string>(14).fill("tok_approved"),
  "tok_declined",
  "tok_insufficient_funds",
  "tok_charged_answer_lost",
  "tok_capture_answer_lost",
  "tok_void_answer_lost",
];

/** Calls that are refused for a moment are repeated later and later: up to a minute, and longer than a short run lasts. */
const patientTokens = [...quickTokens, "tok_error_then_fine"];

/** Puts the products in, with their first delivery. */
export async function stockUp({ url }: Pick<LoadOptions, "url">, acknowledged: Acknowledged): Promise<void> {
  for (const sku of skus) {
    await untilAnswered(url, "PUT", `/products/${sku}`, { body: { title: sku, price: "2.55", currency: "EUR" } });
    await deliver(url, acknowledged, sku, `first-${sku}`, scarce.has(sku) ? 40 : 10_000_000);
  }
}

async function deliver(
  url: () => string,
  { adjustments }: Acknowledged,
  sku: string,
  adjustmentId: string,
  quantity: number,
  signal?: AbortSignal,
): Promise<void> {
  const body = { adjustmentId, quantity, reason: "A delivery" };
  const path = `/stock/${sku}/adjustments`;
  const answer = await untilAnswered(url, "POST", path, { body, ...(signal === undefined ? {} : { signal }) });
  if (answer !== undefined && answer.status < 300) adjustments.set(adjustmentId, { sku, quantity });
}

export function startLoad(options: LoadOptions, acknowledged: Acknowledged): Load {
  const { url, chance, clients, ordersPerSecond, minutes } = options;
  const tokens = minutes < 0.5 ? quickTokens : patientTokens;
  const strange: string[] = [];
  const given = new AbortController();
  const pauseMs = (clients / ordersPerSecond) * 1_000;
  let begun = 0;
  let isOver = false;

  async function buy(n: number): Promise<void> {
    const wanted = orderOf(chance, tokens, n);
    const headers = { "idempotency-key": `key-${n}` };
    const answer = await untilAnswered(url, "POST", "/orders", { body: wanted, headers, signal: given.signal });
    if (answer === undefined) return;
    const { orderId } = answer.body;
    if (typeof orderId !== "string" || answer.status >= 300) {
      strange.push(`key-${n}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return;
    }
    acknowledged.orders.set(orderId, wanted);
    if (n % 9 === 8) await cancel(orderId);
  }

  async function cancel(orderId: string): Promise<void> {
    const path = `/orders/${orderId}/cancel`;
    const answer = await untilAnswered(url, "POST", path, { body: {}, signal: given.signal });
    if (answer === undefined) return;
    if (answer.status === 404) strange.push(`${path}: acknowledged and unknown`);
    else acknowledged.cancels.add(orderId);
  }

  async function client(): Promise<void> {
    let nextMs = performance.now();
    while (!isOver) {
      const n = begun++;
      if (n % 25 === 24) await deliver(url, acknowledged, chance.of(skus), `more-${n}`, 1 + (n % 7), given.signal);
      else await buy(n);
      // What was missed while nobody answered is caught up with, within a bound.
      nextMs = Math.max(nextMs + pauseMs * chance.next() * 2, performance.now() - behindMsMax);
      await pause(Math.max(0, nextMs - performance.now()));
    }
  }
  const all = Array.from({ length: clients }, () =>
    client().catch((error: unknown) => void strange.push(String(error))),
  );
  const finish = async (): Promise<void> => {
    isOver = true;
    await Promise.all(all);
  };
  return {
    acknowledged,
    strange,
    get begun() {
      return begun;
    },
    finish,
    async abandon() {
      given.abort();
      await finish();
    },
  };
}

function orderOf(chance: Chance, tokens: readonly string[], n: number): WantedOrder {
  const lines = Array.from({ length: 1 + Math.floor(chance.next() * 3) }, () => ({
    sku: chance.of(skus),
    quantity: 1 + Math.floor(chance.next() * 3),
  }));
  const customer = { id: `c-${n}`, email: `c-${n}@customers.example` };
  return { customer, currency: "EUR", lines, payment: { token: chance.of(tokens) } };
}
