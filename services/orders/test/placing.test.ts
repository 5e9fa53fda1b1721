import { orderImport, orderPlace, productChanged, stockRefused } from "@waybill/contracts";
import { specification } from "@waybill/messaging/specification";
import { describe, expect, test } from "vitest";
import { order, orders, product } from "../src/index.ts";
import { given, imported, orderOf, place, shopWithProducts, typesOf } from "./given.ts";

const whose = { orderId: "o-1", customerId: place.customer.id, placedAtMs: place.placedAtMs };

describe("an order is placed", () => {
  test("given its products, then it has the shop's prices, rounded half to even line by line", () => {
    const shop = shopWithProducts();
    const { sent } = shop.when(orderPlace, place);
    const lines = [
      { sku: "mug", quantity: 6, unitPrice: "2.55", amount: 1530 },
      { sku: "cup", quantity: 1, unitPrice: "0.995", amount: 100 },
    ];
    const { orderId, placedAtMs, currency, country } = place;
    expect(sent).toEqual([
      { type: "order.placed", body: { orderId, placedAtMs, customerId: "c-1", currency, country, lines, total: 1630 } },
    ]);
    expect(orderOf(shop)).toMatchObject({ status: "placed", lines, total: 1630, captured: 0, refunded: 0 });
  });

  test("given lines that cannot be sold, then it is rejected, and each is named with its reason", () => {
    const shop = shopWithProducts();
    const lines = ["mug", "ghost", "jar", "vase"].map((sku) => ({ sku, quantity: 1 }));
    const problems = [
      { line: 1, sku: "ghost", problem: "unknown-sku" },
      { line: 2, sku: "jar", problem: "inactive-sku" },
      { line: 3, sku: "vase", problem: "wrong-currency" },
    ];
    const body = { ...whose, reason: "lines-refused", problems, short: [] };
    expect(shop.when(orderPlace, { ...place, lines }).sent).toEqual([{ type: "order.rejected", body }]);
    expect(orderOf(shop)).toMatchObject({ status: "rejected", reason: "lines-refused", problems, lines });
  });

  test("given an amount that nobody could pay, then it is rejected and not miscounted", () => {
    const shop = shopWithProducts();
    shop.given(product("palace"), { price: "999999999.9999", currency: "GBP", active: true });
    const { sent } = shop.when(orderPlace, { ...place, lines: [{ sku: "palace", quantity: 1_000_000 }] });
    expect(sent[0]?.body).toMatchObject({ reason: "total-too-large" });
  });

  test("given a product that has changed, then its new price counts for new orders only", () => {
    const shop = given("placed");
    shop.when(productChanged, { sku: "mug", title: "A mug", price: "3.00", currency: "GBP", active: true });
    expect(shop.when(orderPlace, { ...place, orderId: "o-2" }).sent[0]?.body).toMatchObject({ total: 1900 });
    expect(orderOf(shop).total).toBe(1630);
  });
});

describe("the same order is placed again", () => {
  test.each(["placed", "reserved", "confirmed", "completed", "cancelled"] as const)(
    "given the same content and a %s order, then nothing happens",
    (status) => {
      const shop = given(status);
      const before = orderOf(shop);
      expect(shop.when(orderPlace, { ...place, placedAtMs: 5 }).sent).toEqual([]);
      expect(orderOf(shop)).toEqual(before);
    },
  );

  test("given other content, then it is ignored and noted", () => {
    const shop = given("reserved");
    const other = { ...place, lines: [{ sku: "mug", quantity: 1 }] };
    expect(shop.when(orderPlace, other).sent).toEqual([]);
    expect(orderOf(shop)).toMatchObject({ status: "reserved", total: 1630, conflicts: 1 });
    shop.when(orderPlace, other);
    expect(orderOf(shop).conflicts).toBe(2);
  });

  test("given a rejected order, then it stays rejected even if it could be sold by now", () => {
    const shop = specification(orders());
    shop.when(orderPlace, place);
    shop.given(product("mug"), { price: "2.55", currency: "GBP", active: true });
    shop.given(product("cup"), { price: "0.995", currency: "GBP", active: true });
    expect(shop.when(orderPlace, place).sent).toEqual([]);
    expect(orderOf(shop).status).toBe("rejected");
  });
});

describe("an order comes from the import", () => {
  test("then its own prices count, whatever the catalogue says", () => {
    const shop = shopWithProducts();
    const [told] = shop.when(orderImport, imported).sent;
    expect(told).toMatchObject({
      type: "order.placed",
      body: {
        lines: [
          { sku: "antique", amount: 302 },
          { sku: "sample", amount: 0 },
        ],
        total: 302,
      },
    });
  });

  test("given it was imported before, then nothing; at other prices, then a note", () => {
    const shop = shopWithProducts();
    shop.when(orderImport, imported);
    expect(shop.when(orderImport, imported).sent).toEqual([]);
    expect(orderOf(shop).conflicts).toBeUndefined();
    const cheaper = { ...imported, lines: imported.lines.map((line) => ({ ...line, unitPrice: "0.01" })) };
    expect(shop.when(orderImport, cheaper).sent).toEqual([]);
    expect(orderOf(shop)).toMatchObject({ conflicts: 1, total: 302 });
  });
});

describe("the stock falls short", () => {
  const short = [{ sku: "mug", wanted: 6, available: 4, short: 2 }];

  test("then the order is rejected, and the refusal names each SKU and by how much", () => {
    const shop = given("placed");
    const body = { ...whose, reason: "out-of-stock", problems: [], short };
    expect(shop.when(stockRefused, { orderId: "o-1", short }).sent).toEqual([{ type: "order.rejected", body }]);
    expect(orderOf(shop)).toMatchObject({ status: "rejected", reason: "out-of-stock", short });
    expect(shop.when(stockRefused, { orderId: "o-1", short }).sent).toEqual([]);
  });

  test("given an order that is not known, then it waits for its cause", () => {
    expect(() => shopWithProducts().when(stockRefused, { orderId: "o-9", short })).toThrow("is not known yet");
  });
});

test("an order of many lines has one message, and its state keeps each line", () => {
  const shop = shopWithProducts();
  const lines = Array.from({ length: 1_100 }, (_, at) => ({
    sku: at % 2 === 0 ? "mug" : "cup",
    quantity: 1 + (at % 5),
  }));
  expect(typesOf(shop.when(orderPlace, { ...place, lines }))).toEqual(["order.placed"]);
  expect(shop.state(order("o-1"))!.lines).toHaveLength(1_100);
});
