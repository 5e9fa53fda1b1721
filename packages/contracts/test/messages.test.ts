import { check, type AnyMessageType } from "@waybill/messaging";
import { describe, expect, test } from "vitest";
import {
  allMessages,
  allTopics,
  assertTransition,
  linesMax,
  orderImport,
  orderPlace,
  paymentResolve,
  productPut,
  reasonText,
  sameOrder,
  stockAdjust,
  type OrderPlace,
} from "../src/index.ts";

const order = orderPlace.samples[0]!;

/** What the schema says of each wrong field. */
function faults(type: AnyMessageType, body: unknown): Record<string, string> {
  const result = check(type.schema, body);
  return "issues" in result ? Object.fromEntries(result.issues.map(({ field, reason }) => [field, reason])) : {};
}

describe("all messages", () => {
  test("have distinct names and a topic of the shop", () => {
    expect(new Set(allMessages.map(({ name }) => name)).size).toBe(allMessages.length);
    for (const { topic } of allMessages) expect(allTopics).toContain(topic);
    for (const topic of allTopics) expect(allMessages.map((type) => type.topic)).toContain(topic);
  });

  test("are commands exactly where the topic is a door", () => {
    for (const type of allMessages)
      expect([type.name, type.kind]).toEqual([type.name, type.topic.door ? "command" : "event"]);
  });

  test.each(allMessages.map((type) => [type.name, type] as const))(
    "%s has samples that fit and are about one thing",
    (_, type) => {
      expect(type.samples.length).toBeGreaterThan(0);
      for (const sample of type.samples) {
        expect(check(type.schema, JSON.parse(JSON.stringify(sample)))).toHaveProperty("value");
        expect(type.subject(sample)).not.toBe("");
        expect(type.key(sample)).toBe(type.subject(sample));
      }
    },
  );

  test.each(allMessages.map((type) => [type.name, type] as const))("%s refuses what is not it", (_, type) => {
    for (const body of [null, 1, "x", [], {}]) expect(check(type.schema, body)).toHaveProperty("issues");
  });

  test.each(allMessages.filter(({ kind }) => kind === "command").map((type) => [type.name, type] as const))(
    "%s refuses a field that it does not know, by name",
    (_, type) => {
      expect(faults(type, { ...type.samples[0], prices: [] })).toHaveProperty("prices");
    },
  );
});

describe("order.place", () => {
  const line = order.lines[0]!;
  test.each([
    ["an empty order id", { ...order, orderId: "" }, "orderId"],
    ["an order id of 201 bytes", { ...order, orderId: "x".repeat(201) }, "orderId"],
    ["an order id of more than 200 bytes in few characters", { ...order, orderId: "é".repeat(101) }, "orderId"],
    ["a line break in an id", { ...order, orderId: "o\n1" }, "orderId"],
    ["half a surrogate pair", { ...order, orderId: "\ud800" }, "orderId"],
    ["no lines", { ...order, lines: [] }, "lines"],
    ["too many lines", { ...order, lines: Array.from({ length: linesMax + 1 }, () => line) }, "lines"],
    ["a quantity of zero", { ...order, lines: [{ ...line, quantity: 0 }] }, "lines[0].quantity"],
    ["half a piece", { ...order, lines: [line, { ...line, quantity: 1.5 }] }, "lines[1].quantity"],
    ["more than a million pieces", { ...order, lines: [{ ...line, quantity: 1_000_001 }] }, "lines[0].quantity"],
    ["a price from a customer", { ...order, lines: [{ ...line, unitPrice: "0.01" }] }, "lines[0].unitPrice"],
    ["a currency that the shop does not know", { ...order, currency: "XXX" }, "currency"],
    ["an address without an at sign", { ...order, customer: { id: "c", email: "ann" } }, "customer.email"],
    ["a header in an address", { ...order, customer: { id: "c", email: "a@b.c\r\nBcc: x@y.z" } }, "customer.email"],
    ["a token with a space", { ...order, payment: { token: "a b" } }, "payment.token"],
    ["no time", { ...order, placedAtMs: "now" }, "placedAtMs"],
  ])("refuses %s", (_, body, field) => {
    expect(Object.keys(faults(orderPlace, body))).toContain(field);
  });

  test("takes ids and SKUs of other scripts, and the most lines", () => {
    const lines = Array.from({ length: linesMax }, (_, at) => ({ sku: `商品${at}`, quantity: 1_000_000 }));
    expect(faults(orderPlace, { ...order, orderId: "é".repeat(66), lines })).toEqual({});
  });
});

test.each(["1", "0.0001", "999999999.9999"])("a price may be %s", (price) => {
  expect(faults(productPut, { ...productPut.samples[0], price })).toEqual({});
});

test.each(["", "-1", "1.", ".5", "01", "1e3", "0.00001", "1000000000", "1,5", "NaN", 2.55])(
  "a price may not be %s",
  (price) => {
    expect(faults(productPut, { ...productPut.samples[0], price })).toHaveProperty("price");
  },
);

test("an imported order must name every price", () => {
  expect(faults(orderImport, order)).toHaveProperty("lines[0].unitPrice");
});

test("an adjustment may be nothing, and not half a piece", () => {
  const sample = stockAdjust.samples[0]!;
  expect(faults(stockAdjust, { ...sample, quantity: 0 })).toEqual({});
  expect(faults(stockAdjust, { ...sample, quantity: 0.5 })).toHaveProperty("quantity");
});

test("an operator's word is done with the gateway's ids, or refused with a reason", () => {
  const sample = paymentResolve.samples[0]!;
  expect(faults(paymentResolve, { ...sample, outcome: { kind: "done" } })).not.toEqual({});
  expect(faults(paymentResolve, { ...sample, outcome: { kind: "unknown", reason: "?" } })).not.toEqual({});
});

describe("sameOrder", () => {
  const again = (change: Partial<OrderPlace>) => sameOrder(order, { ...order, ...change });
  test("does not mind when it was placed", () => expect(again({ placedAtMs: 7 })).toBe(true));
  test.each([
    ["another customer", { customer: { id: "other", email: order.customer.email } }],
    ["another address", { customer: { id: order.customer.id, email: "bob@example.org" } }],
    ["another currency", { currency: "EUR" }],
    ["another country", { country: "France" }],
    ["another card", { payment: { token: "tok_other" } }],
    ["another quantity", { lines: [{ sku: "85123A", quantity: 7 }] }],
    ["another SKU", { lines: [{ sku: "85123B", quantity: 6 }] }],
    ["one line more", { lines: [...order.lines, ...order.lines] }],
  ] satisfies [string, Partial<OrderPlace>][])("minds %s", (_, change) => expect(again(change)).toBe(false));

  test("compares prices only where they are named", () => {
    const imported = orderImport.samples[0]!;
    expect(sameOrder(imported, order)).toBe(true);
    const cheaper = { ...imported, lines: imported.lines.map((line) => ({ ...line, unitPrice: "0.01" })) };
    expect(sameOrder(imported, cheaper)).toBe(false);
  });
});

test("a reason from outside is cut to what a message takes", () => {
  expect(reasonText("a\u0000\n b")).toBe("a  b");
  expect(reasonText("x".repeat(900))).toHaveLength(500);
  expect(reasonText("")).toBe("no reason given");
});

test("a transition that is not in the table is refused by name", () => {
  const table = { open: ["closed"], closed: [] };
  expect(() => assertTransition(table, "closed", "open")).toThrow("What is closed cannot become open.");
  expect(() => assertTransition(table, "open", "closed")).not.toThrow();
  expect(() => assertTransition(table, "closed", "closed")).not.toThrow();
});
