import { orderAttentionNeeded, orderCancelled, orderPlaced, orderRejected } from "@waybill/contracts";
import { specification } from "@waybill/messaging/specification";
import { assert, integer, property, record, string } from "fast-check";
import { expect, test } from "vitest";
import { afterTime, allOrders, entryOf, inNeed, listed, listing, ordersOf } from "../src/index.ts";
import { idIn } from "../src/lists.ts";

const placed = {
  orderId: "o/1",
  placedAtMs: 1_000,
  customerId: "ann/b",
  currency: "GBP",
  lines: [],
  total: 0,
} as const;
const entry = { orderId: "o/1", placedAtMs: 1_000 };

test("given nothing, when an order is placed, then it stands among all and among its customer's", () => {
  const lists = specification(listing());
  expect(lists.when(orderPlaced, placed).sent).toEqual([]);
  expect(lists.state(listed(idIn(allOrders, entry)))).toBe(true);
  expect(lists.state(listed(idIn(ordersOf("ann/b"), entry)))).toBe(true);
  expect(lists.state(listed(idIn(ordersOf("ann"), entry)))).toBeUndefined();
});

test("given nothing, when an order is rejected at once, then it stands in all lists that it belongs to", () => {
  const lists = specification(listing());
  const { orderId, placedAtMs, customerId } = placed;
  lists.when(orderRejected, { orderId, placedAtMs, customerId, reason: "lines-refused", problems: [], short: [] });
  for (const list of [allOrders, ordersOf(customerId), inNeed("rejected")])
    expect(lists.state(listed(idIn(list, entry)))).toBe(true);
});

test("given nothing, when an older build says that an order is rejected, then nothing is known of its place", () => {
  const lists = specification(listing());
  lists.when(orderRejected, { orderId: "o/1", reason: "out-of-stock", problems: [], short: [] });
  expect(lists.state(listed(idIn(allOrders, entry)))).toBeUndefined();
});

test("given an order, when it is cancelled or needs a person, then it stands in those lists too", () => {
  const lists = specification(listing());
  lists.when(orderPlaced, placed);
  const customer = { id: "ann/b", email: "ann@example.org" };
  lists.when(orderCancelled, { ...entry, customer, reason: "requested", detail: "No." });
  expect(lists.state(listed(idIn(inNeed("cancelled"), entry)))).toBe(true);
  expect(lists.state(listed(idIn(inNeed("attention"), entry)))).toBeUndefined();
  lists.when(orderAttentionNeeded, { ...entry, reason: "Look." });
  expect(lists.state(listed(idIn(inNeed("attention"), entry)))).toBe(true);
});

const entries = record({
  orderId: string({ unit: "grapheme-ascii", minLength: 1, maxLength: 40 }),
  placedAtMs: integer({ min: 0, max: 8_640_000_000_000_000 }),
});

test("ids tell what they were made of, and the newest sorts first", () => {
  assert(
    property(entries, entries, string({ unit: "grapheme-ascii", minLength: 1 }), (a, b, customer) => {
      const list = ordersOf(customer);
      expect(entryOf(list, idIn(list, a))).toEqual(a);
      expect(entryOf(allOrders, idIn(list, a))).toBeUndefined();
      expect(a.placedAtMs <= b.placedAtMs || idIn(list, a) < idIn(list, b)).toBe(true);
      expect(idIn(list, a) > afterTime(list, b.placedAtMs)).toBe(a.placedAtMs < b.placedAtMs);
    }),
  );
});
