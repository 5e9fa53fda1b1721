import {
  orderCancel,
  orderImport,
  orderPlace,
  paymentAuthorised,
  paymentCaptured,
  paymentCaptureRefused,
  paymentDeclined,
  paymentOutstanding,
  paymentRefunded,
  paymentRefundRefused,
  paymentUncertain,
  paymentVoided,
  paymentVoidRefused,
  shipmentCancelled,
  shipmentDelivered,
  shipmentDispatched,
  stockRefused,
  stockReserved,
} from "@waybill/contracts";
import type { Specification } from "@waybill/messaging/specification";
import { describe, expect, test } from "vitest";
import { paymentDeadline, transitions, type OrderStatus } from "../src/index.ts";
import {
  cancel,
  given,
  imported,
  money,
  orderId,
  orderOf,
  place,
  refused,
  shopWithProducts,
  typesOf,
} from "./given.ts";

const cancelled = (reason: string, detail: string) => ({
  type: "order.cancelled",
  body: { orderId, customer: place.customer, placedAtMs: place.placedAtMs, reason, detail },
});

describe("the way that all goes well", () => {
  test("given a placed order, when its goods are held, then its money is asked for, until a deadline", () => {
    const shop = given("placed");
    const { sent, timers } = shop.when(stockReserved, { orderId, lines: [] });
    expect(sent).toEqual([
      { type: "order.reserved", body: { orderId, amount: 1630, currency: "GBP", token: "tok_1" } },
    ]);
    expect(timers).toMatchObject([{ name: "payment-deadline", key: orderId, dueMs: shop.nowMs + 30_000 }]);
  });

  test("given a reserved order, when its money is held, then it is confirmed, and the deadline ends", () => {
    const { sent, cleared } = given("reserved").when(paymentAuthorised, money);
    const { customer, lines, currency } = place;
    expect(sent).toEqual([{ type: "order.confirmed", body: { orderId, customer, currency, total: 1630, lines } }]);
    expect(cleared).toEqual(["payment-deadline"]);
  });

  test("given a confirmed order, when the goods leave, then it is shipped", () => {
    const shop = given("confirmed");
    const { sent } = shop.when(shipmentDispatched, { orderId, tracking: "1Z 9" });
    expect(sent).toEqual([{ type: "order.shipped", body: { orderId, customer: place.customer, tracking: "1Z 9" } }]);
    expect(orderOf(shop)).toMatchObject({ status: "shipped", shippedAtMs: shop.nowMs, tracking: "1Z 9" });
  });

  test("given a shipped order, when the money is taken, then it is completed", () => {
    const shop = given("shipped");
    const { placedAtMs, country, currency } = place;
    const body = { orderId, customerId: "c-1", placedAtMs, country, currency, total: 1630 };
    expect(shop.when(paymentCaptured, money).sent).toEqual([{ type: "order.completed", body }]);
    expect(orderOf(shop)).toMatchObject({ status: "completed", captured: 1630 });
  });

  test("given it has left, when it is delivered, then the order says when", () => {
    for (const status of ["shipped", "completed"] as const) {
      const shop = given(status);
      expect(shop.when(shipmentDelivered, { orderId }).sent).toEqual([]);
      expect(orderOf(shop)).toMatchObject({ status, deliveredAtMs: shop.nowMs });
    }
  });
});

describe("the payment", () => {
  test("is declined: then the order is cancelled with the gateway's reason", () => {
    const shop = given("reserved");
    const { sent, cleared } = shop.when(paymentDeclined, refused("card_declined"));
    expect(sent).toEqual([cancelled("payment-declined", "card_declined")]);
    expect(cleared).toEqual(["payment-deadline"]);
  });

  test("does not come in half of its time: then the shop asks whether the gateway is there, and goes on waiting", () => {
    const shop = given("reserved");
    const { sent, timers } = shop.due(paymentDeadline, orderId);
    expect(sent).toEqual([{ type: "order.payment-awaited", body: { orderId } }]);
    expect(timers).toMatchObject([{ name: "payment-deadline", dueMs: shop.nowMs + 30_000 }]);
    expect(orderOf(shop).status).toBe("reserved");
  });

  test("cannot come while the gateway is away: then no time counts, and the other half begins when it is seen", () => {
    const shop = given("reserved");
    shop.due(paymentDeadline, orderId);
    for (let halves = 0; halves < 100; halves++) {
      shop.nowMs += 30_000;
      const { sent, timers } = shop.due(paymentDeadline, orderId);
      expect(sent).toEqual([]);
      expect(timers).toHaveLength(1);
    }
    shop.nowMs += 12_345;
    const { timers } = shop.when(paymentOutstanding, { orderId });
    expect(timers).toMatchObject([{ name: "payment-deadline", dueMs: shop.nowMs + 30_000 }]);
    expect(shop.when(paymentAuthorised, money).cleared).toEqual(["payment-deadline"]);
    expect(orderOf(shop).status).toBe("confirmed");
  });

  test("does not come in time: then the order is cancelled, and money that comes later changes nothing here", () => {
    const shop = given("reserved");
    shop.due(paymentDeadline, orderId);
    shop.when(paymentOutstanding, { orderId });
    expect(shop.when(paymentOutstanding, { orderId }).timers).toEqual([]);
    expect(shop.due(paymentDeadline, orderId).sent).toEqual([
      cancelled("payment-timeout", "The payment was not authorised in time."),
    ]);
    expect(shop.when(paymentAuthorised, money).sent).toEqual([]);
    expect(orderOf(shop)).toMatchObject({ status: "cancelled", reason: "payment-timeout" });
  });

  test.each(["placed", "confirmed", "completed", "cancelled"] as const)(
    "has a deadline that means nothing to a %s order",
    (status) => {
      const shop = given(status);
      expect(shop.due(paymentDeadline, orderId).sent).toEqual([]);
      expect(orderOf(shop).status).toBe(status);
    },
  );

  test("arrives for a cancelled order and goes back: then the customer is told of the money, and the books are even", () => {
    const shop = given("cancelled");
    shop.when(paymentCaptured, money);
    expect(orderOf(shop)).toMatchObject({ captured: 1630, refunded: 0 });
    const body = { orderId, customer: place.customer, currency: "GBP", amount: 1630 };
    expect(shop.when(paymentRefunded, money).sent).toEqual([{ type: "order.refunded", body }]);
    expect(shop.when(paymentRefunded, money).sent).toEqual([]);
    expect(orderOf(shop)).toMatchObject({ status: "cancelled", captured: 1630, refunded: 1630 });
  });

  test("is refused after the goods have left: then the order is unpaid, a person is told, and the money completes it", () => {
    const shop = given("shipped");
    const { sent } = shop.when(paymentCaptureRefused, refused("insufficient_funds"));
    const reason = "The capture was refused: insufficient_funds";
    const { placedAtMs } = place;
    expect(sent).toEqual([{ type: "order.attention-needed", body: { orderId, reason, placedAtMs } }]);
    expect(orderOf(shop)).toMatchObject({ status: "unpaid", attention: reason });
    expect(shop.when(paymentCaptureRefused, refused("insufficient_funds")).sent).toEqual([]);
    expect(typesOf(shop.when(paymentCaptured, money))).toEqual(["order.completed"]);
    expect(orderOf(shop).attention).toBeUndefined();
  });

  test.each([
    ["reserved", "authorise"],
    ["shipped", "capture"],
    ["cancelled", "void"],
  ] as const)("of a %s order is uncertain: then a person is told to look at the %s, once", (status, operation) => {
    const shop = given(status);
    const uncertain = { orderId, operation, reason: "The key is forgotten." };
    expect(typesOf(shop.when(paymentUncertain, uncertain))).toEqual(["order.attention-needed"]);
    expect(shop.when(paymentUncertain, uncertain).sent).toEqual([]);
    expect(orderOf(shop)).toMatchObject({ status, attention: `The ${operation} is uncertain: The key is forgotten.` });
  });

  test("is uncertain, and then not: then nobody needs to look any more", () => {
    const uncertain = { orderId, operation: "authorise", reason: "?" } as const;
    const settled = {
      authorised: (shop: Specification) => shop.when(paymentAuthorised, money),
      declined: (shop: Specification) => shop.when(paymentDeclined, refused("card_declined")),
    };
    for (const settle of Object.values(settled)) {
      const shop = given("reserved");
      shop.when(paymentUncertain, uncertain);
      settle(shop);
      expect(orderOf(shop).attention).toBeUndefined();
      expect(shop.when(paymentUncertain, uncertain).sent).toEqual([]);
    }
  });

  test("cannot be given back: then a person is told, until it is", () => {
    const shop = given("cancelled");
    expect(typesOf(shop.when(paymentVoidRefused, refused("locked")))).toEqual(["order.attention-needed"]);
    shop.when(paymentVoided, money);
    expect(orderOf(shop).attention).toBeUndefined();

    const other = given("cancelled");
    expect(typesOf(other.when(paymentRefundRefused, refused("card_closed")))).toEqual(["order.attention-needed"]);
    other.when(paymentRefunded, money);
    expect(orderOf(other).attention).toBeUndefined();
  });

  test("is told of before the dispatch that caused it: then it waits", () => {
    for (const status of ["confirmed", "cancelling"] as const) {
      const early = "has not heard of its dispatch yet";
      expect(() => given(status).when(paymentCaptured, money)).toThrow(early);
      expect(() => given(status).when(paymentCaptureRefused, refused("x"))).toThrow(early);
    }
  });
});

describe("a cancel", () => {
  test.each(["placed", "reserved"] as const)("of a %s order is done at once", (status) => {
    const shop = given(status);
    const { sent, cleared } = shop.when(orderCancel, cancel);
    expect(sent).toEqual([cancelled("requested", "Changed my mind.")]);
    expect(cleared).toEqual(status === "reserved" ? ["payment-deadline"] : []);
    expect(shop.when(orderCancel, cancel).sent).toEqual([]);
  });

  test("while its goods are being held: then the answer of the stock is too late", () => {
    for (const late of [
      (shop: Specification) => shop.when(stockReserved, { orderId, lines: [] }),
      (shop: Specification) => shop.when(stockRefused, { orderId, short: [] }),
    ]) {
      const shop = given("placed");
      shop.when(orderCancel, cancel);
      expect(late(shop).sent).toEqual([]);
      expect(orderOf(shop).status).toBe("cancelled");
    }
  });

  test("while its money is being held: then the answer of the gateway is too late", () => {
    const shop = given("reserved");
    shop.when(orderCancel, cancel);
    expect(shop.when(paymentAuthorised, money).sent).toEqual([]);
    expect(shop.when(paymentDeclined, refused("x")).sent).toEqual([]);
    expect(orderOf(shop)).toMatchObject({ status: "cancelled", reason: "requested" });
  });

  test("of a confirmed order asks whether the goods are still there, once; if so, it is cancelled", () => {
    const shop = given("confirmed");
    expect(shop.when(orderCancel, cancel).sent).toEqual([{ type: "order.cancel-requested", body: cancel }]);
    expect(shop.when(orderCancel, cancel).sent).toEqual([]);
    expect(shop.when(shipmentCancelled, cancel).sent).toEqual([cancelled("requested", "Changed my mind.")]);
    expect(shop.when(shipmentCancelled, cancel).sent).toEqual([]);
  });

  test("that loses the race with the dispatch is refused, and the order goes on", () => {
    const shop = given("cancelling");
    const { sent } = shop.when(shipmentDispatched, { orderId });
    expect(sent).toEqual([
      { type: "order.shipped", body: { orderId, customer: place.customer } },
      { type: "order.cancel-refused", body: { orderId, reason: "The goods have left." } },
    ]);
    expect(orderOf(shop)).toMatchObject({ status: "shipped", cancelRefused: "The goods have left." });
    expect(typesOf(shop.when(paymentCaptured, money))).toEqual(["order.completed"]);
  });

  test.each(["shipped", "completed"] as const)("of a %s order is refused and recorded, once", (status) => {
    const shop = given(status);
    expect(shop.when(orderCancel, cancel).sent).toEqual([
      { type: "order.cancel-refused", body: { orderId, reason: "The goods have left." } },
    ]);
    expect(shop.when(orderCancel, cancel).sent).toEqual([]);
    expect(orderOf(shop)).toMatchObject({ status, cancelRefused: "The goods have left." });
  });

  test("of an order that nobody placed is refused", () => {
    const body = { orderId: "o-9", reason: "There is no such order." };
    expect(shopWithProducts().when(orderCancel, { ...cancel, orderId: "o-9" }).sent).toEqual([
      { type: "order.cancel-refused", body },
    ]);
  });

  test("and goods that left all the same are a matter for a person", () => {
    const shop = given("cancelled");
    expect(typesOf(shop.when(shipmentDispatched, { orderId }))).toEqual(["order.attention-needed"]);
  });
});

/** The name of the error that is thrown; empty when none is. */
function failureOf(act: () => unknown): string {
  try {
    act();
    return "";
  } catch (error) {
    return (error as Error).name;
  }
}

describe("the same message twice", () => {
  test.each([
    ["stock.reserved", "reserved", (shop: Specification) => shop.when(stockReserved, { orderId, lines: [] })],
    ["payment.authorised", "confirmed", (shop: Specification) => shop.when(paymentAuthorised, money)],
    ["shipment.dispatched", "shipped", (shop: Specification) => shop.when(shipmentDispatched, { orderId })],
    ["payment.captured", "completed", (shop: Specification) => shop.when(paymentCaptured, money)],
    ["shipment.dispatched, late,", "completed", (shop: Specification) => shop.when(shipmentDispatched, { orderId })],
  ] as const)("a second %s leaves a %s order as it is", (_, status, again) => {
    const shop = given(status);
    const before = orderOf(shop);
    expect(again(shop).sent).toEqual([]);
    expect(orderOf(shop)).toEqual(before);
  });
});

describe("the table", () => {
  const everything: readonly ((shop: Specification) => unknown)[] = [
    (shop) => shop.when(orderPlace, place),
    (shop) => shop.when(orderPlace, { ...place, currency: "EUR" }),
    (shop) => shop.when(orderImport, imported),
    (shop) => shop.when(orderCancel, cancel),
    (shop) => shop.when(stockReserved, { orderId, lines: [] }),
    (shop) => shop.when(stockRefused, { orderId, short: [] }),
    (shop) => shop.when(paymentAuthorised, money),
    (shop) => shop.when(paymentDeclined, refused("x")),
    (shop) => shop.when(paymentOutstanding, { orderId }),
    (shop) => shop.when(paymentCaptured, money),
    (shop) => shop.when(paymentCaptureRefused, refused("x")),
    (shop) => shop.when(paymentVoided, money),
    (shop) => shop.when(paymentRefunded, money),
    (shop) => shop.when(paymentVoidRefused, refused("x")),
    (shop) => shop.when(paymentRefundRefused, refused("x")),
    (shop) => shop.when(paymentUncertain, { orderId, operation: "capture", reason: "x" }),
    (shop) => shop.when(shipmentDispatched, { orderId }),
    (shop) => shop.when(shipmentDelivered, { orderId }),
    (shop) => shop.when(shipmentCancelled, cancel),
    (shop) => shop.due(paymentDeadline, orderId),
  ];

  const rejected = (): Specification => {
    const shop = given("placed");
    shop.when(stockRefused, { orderId, short: [] });
    return shop;
  };
  const ends: readonly (readonly [OrderStatus, () => Specification])[] = [
    ["completed", () => given("completed")],
    ["cancelled", () => given("cancelled")],
    ["rejected", rejected],
  ];

  test.each(ends)("an order that is %s stays so, whatever comes", (status, make) => {
    expect(transitions[status]).toEqual([]);
    for (const happens of everything) {
      const shop = make();
      happens(shop);
      expect(orderOf(shop).status).toBe(status);
    }
  });

  test("no message brings an order to a status that the table does not allow", () => {
    for (const status of ["placed", "reserved", "confirmed", "cancelling", "shipped"] as const) {
      for (const happens of everything) {
        const shop = given(status);
        expect(["", "NotYet"]).toContain(failureOf(() => happens(shop)));
        expect([status, ...transitions[status]]).toContain(orderOf(shop).status);
      }
    }
  });
});
