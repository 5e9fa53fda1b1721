import { setTimeout as pause } from "node:timers/promises";
import type { Order } from "@waybill/orders";
import { expect } from "vitest";
import type { LoadOptions } from "./load.ts";
import { expectMoneyAgrees, expectStockAgrees, letters, type Books, type GatewayOperation } from "./witnesses.ts";

/** How an order may end. */
export const ends: readonly string[] = ["completed", "rejected", "cancelled"];

const scarce = new Set(["sku-8", "sku-9"]);
/** What is on the shelf at first. */
export const initial: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 10 }, (_, n) => [`sku-${n}`, scarce.has(`sku-${n}`) ? 15 : 100_000]),
);
export const tokens: readonly string[] = [
  ...Array<string>(10).fill("tok_approved"),
  "tok_declined",
  "tok_insufficient_funds",
  "tok_error_then_fine",
  "tok_charged_answer_lost",
  "tok_capture_answer_lost",
  "tok_void_answer_lost",
];

/** Sixteen clients who order and cancel a bit of everything. */
export function loadOptions(random: () => number): Omit<LoadOptions, "url"> {
  return { random, skus: [...initial.keys()], tokens, clients: 16, cancelEvery: 7 };
}

/** Puts products and their stock in over HTTP. */
export async function stockUp(url: string): Promise<void> {
  const send = async (method: string, path: string, body: unknown) => {
    const headers = { "content-type": "application/json", prefer: "wait=30" };
    const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
    expect(response.status, await response.text()).toBe(200);
  };
  for (const [sku, quantity] of initial) {
    await send("PUT", `/products/${sku}`, { title: sku, price: "2.55", currency: "EUR" });
    await send("POST", `/stock/${sku}/adjustments`, { adjustmentId: sku, quantity, reason: "First delivery" });
  }
}

/** Waits until every acknowledged order is known and over, and no goods are held any more; the books then. */
export async function untilOver(read: () => Promise<Books>, acknowledged: Iterable<string>): Promise<Books> {
  const ids = new Set(acknowledged);
  const deadlineMs = performance.now() + 120_000;
  for (;;) {
    const readMs = performance.now();
    const books = await read();
    const open = [...ids].filter((id) => !ends.includes(books.orders.get(id)?.status ?? "unknown"));
    // Inventory hears that goods have left, or stay, at the same time as orders, and may come to it later.
    const held = [...books.stock].filter(([, { reserved }]) => reserved > 0);
    if (open.length === 0 && held.length === 0) return books;
    if (performance.now() > deadlineMs && open.length === 0) {
      throw new Error(`All orders are over, and goods are held still: ${JSON.stringify(held)}`);
    }
    if (performance.now() > deadlineMs) {
      const [first] = open;
      throw new Error(`${open.length} orders do not settle, the first: ${JSON.stringify(books.orders.get(first!))}`);
    }
    // To look takes long when there is much to see, and must not take what the shop needs to get through.
    await pause(Math.max(100, 4 * (performance.now() - readMs)));
  }
}

/** Holds a shop's books against what was acknowledged, the gateway's ledger, the shelf and the mailbox. */
export function expectBooksAddUp(
  books: Books,
  acknowledged: Iterable<string>,
  ledger: readonly GatewayOperation[],
  data: string,
): void {
  expect(new Set(books.orders.keys())).toEqual(new Set(acknowledged));
  expectMoneyAgrees(books.orders.values(), ledger);
  expectStockAgrees(books, initial);
  const mail = letters(data).map(({ orderId, kind }) => `${orderId} ${kind}`);
  expect(new Set(mail).size).toBe(mail.length);
  const wanted = [...books.orders.values()].flatMap(({ orderId, status }) => {
    if (status === "completed") return [`${orderId} confirmed`, `${orderId} shipped`];
    return status === "cancelled" ? [`${orderId} cancelled`] : [];
  });
  expect(mail).toEqual(expect.arrayContaining(wanted));
  const statuses = Map.groupBy(books.orders.values(), ({ status }) => status);
  for (const status of ends) expect(statuses.get(status as Order["status"])?.length, status).toBeGreaterThan(0);
}
