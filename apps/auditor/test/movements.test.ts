import { expect, test } from "vitest";
import { movementsOf, type Movement } from "../src/log/movements.ts";

const line = (change: Readonly<Record<string, unknown>> = {}) => ({
  sku: "85123A",
  quantity: 2,
  onHand: 50,
  reserved: 6,
  ...change,
});
const body = (...lines: unknown[]) => JSON.stringify({ orderId: "o-1", lines });

test.each([
  ["one line", body(line())],
  ["several lines", body(line(), line({ sku: "b", quantity: 1, onHand: 0, reserved: 0 }))],
  ["no line", body()],
  ["a SKU with quotes and brackets", body(line({ sku: 'say "]}" \\' }))],
  ["a SKU of other letters", body(line({ sku: "žluťoučký 品" }))],
  ["an empty SKU", body(line({ sku: "" }))],
  ["numbers below zero", body(line({ onHand: -1, reserved: -20 }))],
  ["numbers with a point or an exponent", body(line({ quantity: 1.5, onHand: 1e21 }))],
  ["as large a number as there is", body(line({ onHand: Number.MAX_SAFE_INTEGER }))],
  ["another member in a line", body(line({ note: 1 }), line())],
  ["its members in another order", JSON.stringify({ lines: [line()], orderId: "o-1" })],
  ["an order id with quotes", JSON.stringify({ orderId: 'o"],"lines":[{"sku":"', lines: [line()] })],
  ["another member behind", JSON.stringify({ orderId: "o-1", lines: [line()], more: [] })],
  ["spaces", JSON.stringify({ orderId: "o-1", lines: [line()] }, undefined, 2)],
])("movements with %s are what JSON.parse makes of them", (_, text) => {
  const { lines } = JSON.parse(text) as { lines: Movement[] };
  expect(movementsOf(text).map((movement) => ({ ...movement }))).toEqual(lines);
});

test("a message that is a movement itself is read as one", () => {
  const adjusted = { ...line(), adjustmentId: "a-1", reason: "Delivery 17" };
  expect(movementsOf(JSON.stringify(adjusted))).toEqual([adjusted]);
});

test.each([
  ["cut", (text: string) => text.slice(0, -1)],
  ["followed by something", (text: string) => `${text}}`],
  ["with a number that begins with 0", (text: string) => text.replace("50", "050")],
  ["without a number", (text: string) => text.replace("50", "")],
])("a body that is %s is refused, as by JSON.parse", (_, spoil) => {
  expect(() => movementsOf(spoil(body(line())))).toThrow(SyntaxError);
});
