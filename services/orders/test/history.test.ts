import { orderCancel, stockReserved } from "@waybill/contracts";
import type { InputInfo } from "@waybill/messaging";
import { expect, test } from "vitest";
import { journey, type HistoryEntry } from "../src/index.ts";
import { historyMax, remembered } from "../src/history.ts";
import { cancel, given, orderId, orderOf } from "./given.ts";

const input: InputInfo = {
  kind: "message",
  id: "m-1",
  type: "stock.reserved",
  subject: "o-1",
  correlation: "o-1",
  atMs: 7,
  topic: "stock",
  partition: 3,
  offset: 99,
};

test("an order's history has each message that it consumed and sent, in their order", () => {
  const told = journey(orderOf(given("completed")).history);
  expect(told.map(({ direction, type, topic }) => `${direction} ${topic} ${type}`)).toEqual([
    "in orders-in order.place",
    "out orders order.placed",
    "in stock stock.reserved",
    "out orders order.reserved",
    "in payments payment.authorised",
    "out orders order.confirmed",
    "in shipments shipment.dispatched",
    "out orders order.shipped",
    "in payments payment.captured",
    "out orders order.completed",
  ]);
});

test("a consumed message is named by its offset, a sent one by its id", () => {
  const sent = { id: "m-2", type: "order.reserved", topic: "orders", partition: 5, atMs: 8 };
  expect(journey(remembered([], input, [sent]))).toEqual([
    { direction: "in", type: "stock.reserved", topic: "stock", partition: 3, offset: 99, id: "m-1", atMs: 7 },
    { direction: "out", type: "order.reserved", topic: "orders", partition: 5, offset: undefined, id: "m-2", atMs: 8 },
  ]);
});

test("a deadline has no topic and no offset", () => {
  const fired: InputInfo = { ...input, kind: "timer", type: "payment-deadline", topic: undefined, offset: undefined };
  expect(journey(remembered([], fired, []))).toMatchObject([{ direction: "in", topic: undefined, offset: undefined }]);
});

test("what changes nothing leaves no trace, and the same input stands there once", () => {
  const shop = given("cancelled");
  const before = orderOf(shop).history;
  shop.when(orderCancel, cancel);
  expect(orderOf(shop).history).toEqual(before);
  const once = remembered([], input, []);
  expect(remembered(once, input, [])).toBe(once);
});

test("a late message that changes nothing but is worth knowing is kept", () => {
  const shop = given("cancelled");
  shop.when(stockReserved, { orderId, lines: [] });
  expect(orderOf(shop).history.at(-1)?.[0]).toBe("stock.reserved");
});

test("the history is bounded", () => {
  const full = Array.from({ length: historyMax }, (_, at): HistoryEntry => ["order.place", 0, at, `m-${at}`, at]);
  expect(remembered(full, { ...input, id: "new" }, [])).toBe(full);
  expect(remembered(full.slice(1), { ...input, id: "new" }, [])).toHaveLength(historyMax);
});
