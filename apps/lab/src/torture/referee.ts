import type { Stock } from "@waybill/inventory";
import type { Order } from "@waybill/orders";
import type { Books } from "@waybill/auditor";
import type { Acknowledged, WantedOrder } from "./load.ts";

/**
 * Holds what a shop has against what it acknowledged to its clients. Returns everything in which they differ, in words; the
 * client's record is the only witness that no part of the shop could have changed.
 */
export async function disagreements(books: Books, acknowledged: Acknowledged): Promise<string[]> {
  const wrong: string[] = [];
  const missing = new Map(acknowledged.orders);
  const left = new Map<string, number>();
  for await (const page of books.states("orders", "order")) {
    for (const { id, body } of page) {
      const order = JSON.parse(body) as Order;
      const wanted = missing.get(id);
      missing.delete(id);
      if (wanted === undefined) wrong.push(`Order ${id} was never acknowledged to anybody.`);
      else wrong.push(...differences(order, wanted));
      if (acknowledged.cancels.has(id) && !isDecided(order)) wrong.push(`Order ${id}: its cancel was forgotten.`);
      count(order, left);
    }
  }
  for (const id of missing.keys()) wrong.push(`Order ${id} was acknowledged, and is lost.`);
  return [...wrong, ...(await stockDifferences(books, acknowledged, left))];
}

function differences(order: Order, { customer, lines, payment }: WantedOrder): string[] {
  const is = JSON.stringify([
    order.customer,
    order.payment.token,
    order.lines.map(({ sku, quantity }) => ({ sku, quantity })),
  ]);
  const was = JSON.stringify([customer, payment.token, lines]);
  const wrong = is === was ? [] : [`Order ${order.orderId} is ${is}, and ${was} was asked for.`];
  if (!["completed", "rejected", "cancelled"].includes(order.status)) {
    wrong.push(`Order ${order.orderId} is ${order.status} and does not settle.`);
  }
  return wrong;
}

/** A cancel that was acknowledged has an answer: the order is cancelled, or it was over or too late. */
function isDecided({ status, cancelRefused }: Order): boolean {
  return status === "cancelled" || status === "rejected" || status === "completed" || cancelRefused !== undefined;
}

/** Adds up what left the shelf. */
function count({ status, lines }: Order, left: Map<string, number>): void {
  if (status !== "completed") return;
  for (const { sku, quantity } of lines) left.set(sku, (left.get(sku) ?? 0) + quantity);
}

async function stockDifferences(
  books: Books,
  { adjustments }: Acknowledged,
  left: ReadonlyMap<string, number>,
): Promise<string[]> {
  const wrong: string[] = [];
  const delivered = new Map<string, number>();
  for (const { sku, quantity } of adjustments.values()) delivered.set(sku, (delivered.get(sku) ?? 0) + quantity);
  for await (const page of books.states("inventory", "stock")) {
    for (const { id: sku, body } of page) {
      const { onHand, reserved } = JSON.parse(body) as Stock;
      const expected = (delivered.get(sku) ?? 0) - (left.get(sku) ?? 0);
      if (onHand === expected && reserved === 0) continue;
      wrong.push(`SKU ${sku} has ${onHand} on hand and ${reserved} reserved; clients know of ${expected} and 0.`);
    }
  }
  return wrong;
}
