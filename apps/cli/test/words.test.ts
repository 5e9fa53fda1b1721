import { allMessages, topics } from "@waybill/contracts";
import { describe, expect, it } from "vitest";
import { meaning, speakerOf, wordedTypes, type OrderFacts } from "../src/shop/words.ts";

const order: OrderFacts = {
  orderId: "o-1",
  status: "completed",
  currency: "GBP",
  total: 1_530,
  captured: 1_530,
  refunded: 0,
  lines: [{ sku: "mug", quantity: 6 }],
};

describe("the words of a journey", () => {
  it("are there for every message that speaks of an order, and for no other", () => {
    const known = allMessages.filter(({ samples }) => "orderId" in (samples[0] as object)).map(({ name }) => name);
    expect([...wordedTypes].sort()).toEqual([...known, "payment-deadline"].sort());
  });

  it("name amounts, reasons and what is short", () => {
    expect(meaning("payment.captured", order)).toBe("15.30 GBP is taken.");
    expect(meaning("order.placed", order)).toBe("Priced: 1 line, 15.30 GBP.");
    const short = { ...order, reason: "out-of-stock", short: [{ sku: "mug", wanted: 6, available: 4, short: 2 }] };
    expect(meaning("order.rejected", short)).toBe("Rejected: out-of-stock: mug has 4 of 6");
    expect(meaning("order.cancelled", { ...order, reason: "requested", detail: "Changed my mind." })).toBe(
      "Cancelled, requested: Changed my mind.",
    );
  });

  it("say who spoke", () => {
    expect(speakerOf("stock.reserved")).toBe("inventory");
    expect(speakerOf("order.place")).toBe("outside");
    expect(speakerOf("payment-deadline")).toBe("timer");
    expect(topics.ordersIn.door).toBe(true);
  });
});
