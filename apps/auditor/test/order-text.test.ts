import { expect, test } from "vitest";
import { historyOf, orderOf } from "../src/orders/order-text.ts";

const entry = (id: string) => ["order.place", 3, 17, id, 1_700_000_000_000];
const order = (history: unknown[], rest: object = { captured: 5 }) => ({
  orderId: "o-1",
  status: "placed",
  lines: [{ sku: "a", quantity: 1 }],
  problems: [],
  history,
  ...rest,
});

test.each([
  ["a history in the middle", order([entry("a"), entry("b")], { captured: 5, problems: [] })],
  ["a history at the end", order([entry("a")], {})],
  ["an empty history", order([])],
  ["an empty history at the end", order([], {})],
  ["brackets in an id", order([entry("x]]}"), entry("]],")])],
  ["a history of one that is told of in words", order([entry("a")], { detail: 'He wrote "history":[[1]],"x"' })],
  ["no history at all", { orderId: "o-1" }],
])("an order with %s is the same without it", (_, whole) => {
  const body = JSON.stringify(whole);
  const cut = orderOf(body);
  const { history: _cut, ...left } = cut;
  const { history, ...expected } = { history: undefined, ...(whole as { history?: unknown[] }) };
  expect(left).toEqual(expected);
  expect(history === undefined ? undefined : historyOf(body)).toEqual(history);
});

test("a history that is cut out is gone, so that nothing depends on it", () => {
  expect(orderOf(JSON.stringify(order([entry("a"), entry("b")]))).history).toEqual([]);
});
