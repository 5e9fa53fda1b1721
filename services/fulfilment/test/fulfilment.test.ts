import {
  orderCancelRequested,
  orderConfirmed,
  shipmentDeliver,
  shipmentDispatch,
  type OrderConfirmed,
} from "@waybill/contracts";
import { specification, type Done } from "@waybill/messaging/specification";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  dispatchDue,
  fulfilment,
  shipment,
  transitions,
  type FulfilmentOptions,
  type ShipmentStatus,
} from "../src/index.ts";

const confirmed: OrderConfirmed = {
  orderId: "o-1",
  customer: { id: "c-1", email: "ann@example.org" },
  currency: "GBP",
  total: 1530,
  lines: [{ sku: "mug", quantity: 6 }],
};
const cancel = { orderId: "o-1", reason: "Changed my mind." };
const cancelled = { type: "shipment.cancelled", body: cancel };
const dispatched = { type: "shipment.dispatched", body: { orderId: "o-1" } };

function given(status: ShipmentStatus, options: FulfilmentOptions = {}) {
  const shop = specification(fulfilment(options));
  shop.given(shipment("o-1"), { status, lines: confirmed.lines, createdAtMs: 1 });
  return shop;
}

const typesOf = ({ sent }: Done) => sent.map(({ type }) => type);

describe("an order is confirmed", () => {
  test("then its shipment waits for a person", () => {
    const shop = specification(fulfilment());
    const { sent, timers } = shop.when(orderConfirmed, confirmed);
    expect([sent, timers]).toEqual([[], []]);
    expect(shop.state(shipment("o-1"))).toEqual({ status: "waiting", lines: confirmed.lines, createdAtMs: shop.nowMs });
  });

  test("given a delay, then it leaves when that is over", () => {
    const shop = specification(fulfilment({ dispatchAfterMs: 500 }));
    const { timers } = shop.when(orderConfirmed, confirmed);
    expect(timers).toMatchObject([{ name: "dispatch", key: "o-1", dueMs: shop.nowMs + 500 }]);
    expect(shop.due(dispatchDue, "o-1").sent).toEqual([dispatched]);
  });

  test("given no delay, then it leaves at once, without a timer", () => {
    const shop = specification(fulfilment({ dispatchAfterMs: 0 }));
    const { sent, timers } = shop.when(orderConfirmed, confirmed);
    expect([sent, timers]).toEqual([[dispatched], []]);
    expect(shop.state(shipment("o-1"))).toMatchObject({ status: "dispatched", dispatchedAtMs: shop.nowMs });
  });

  test("given a shipment, then a second confirmation is nothing", () => {
    for (const status of Object.keys(transitions) as ShipmentStatus[]) {
      const shop = given(status, { dispatchAfterMs: 0 });
      expect(shop.when(orderConfirmed, confirmed).sent).toEqual([]);
      expect(shop.state(shipment("o-1"))?.status).toBe(status);
    }
  });
});

describe("a person dispatches", () => {
  test("given a waiting shipment, then it is on its way with what the carrier calls it, and the timer ends", () => {
    const shop = given("waiting", { dispatchAfterMs: 500 });
    const { sent, cleared } = shop.when(shipmentDispatch, { orderId: "o-1", tracking: "1Z 9" });
    expect(sent).toEqual([{ type: "shipment.dispatched", body: { orderId: "o-1", tracking: "1Z 9" } }]);
    expect(cleared).toEqual(["dispatch"]);
  });

  test("given it has left, then nothing", () => {
    expect(given("dispatched").when(shipmentDispatch, { orderId: "o-1" }).sent).toEqual([]);
    expect(given("delivered").when(shipmentDispatch, { orderId: "o-1" }).sent).toEqual([]);
  });

  test("given it is cancelled, or never was, then it is refused with the reason", () => {
    expect(given("cancelled").when(shipmentDispatch, { orderId: "o-1" }).sent).toEqual([
      { type: "shipment.refused", body: { orderId: "o-1", asked: "dispatch", reason: "The shipment is cancelled." } },
    ]);
    expect(typesOf(specification(fulfilment()).when(shipmentDispatch, { orderId: "o-9" }))).toEqual([
      "shipment.refused",
    ]);
  });
});

describe("it is delivered", () => {
  test("given it has left, then it is told once", () => {
    const shop = given("dispatched");
    expect(shop.when(shipmentDeliver, { orderId: "o-1" }).sent).toEqual([
      { type: "shipment.delivered", body: { orderId: "o-1" } },
    ]);
    expect(shop.when(shipmentDeliver, { orderId: "o-1" }).sent).toEqual([]);
    expect(shop.state(shipment("o-1"))).toMatchObject({ status: "delivered", deliveredAtMs: shop.nowMs });
  });

  test.each(["waiting", "cancelled"] as const)("given it is %s, then it is refused", (status) => {
    expect(given(status).when(shipmentDeliver, { orderId: "o-1" }).sent[0]?.body).toMatchObject({ asked: "deliver" });
  });

  test("given no shipment, then it is refused", () => {
    expect(typesOf(specification(fulfilment()).when(shipmentDeliver, { orderId: "o-9" }))).toEqual([
      "shipment.refused",
    ]);
  });
});

describe("a dispatch races a cancel", () => {
  test("given the cancel is first, then the goods stay, and neither the timer nor a person sends them", () => {
    const shop = given("waiting", { dispatchAfterMs: 500 });
    const { sent, cleared } = shop.when(orderCancelRequested, cancel);
    expect([sent, cleared]).toEqual([[cancelled], ["dispatch"]]);
    expect(shop.due(dispatchDue, "o-1").sent).toEqual([]);
    expect(typesOf(shop.when(shipmentDispatch, { orderId: "o-1" }))).toEqual(["shipment.refused"]);
  });

  test("given the dispatch is first, then the cancel is answered by what was said", () => {
    for (const status of ["dispatched", "delivered"] as const) {
      const shop = given(status);
      expect(shop.when(orderCancelRequested, cancel).sent).toEqual([]);
      expect(shop.state(shipment("o-1"))?.status).toBe(status);
    }
  });

  test("given a second cancel, then nothing", () => {
    expect(given("cancelled").when(orderCancelRequested, cancel).sent).toEqual([]);
  });

  test("given no shipment yet, then it waits for its cause", () => {
    expect(() => specification(fulfilment()).when(orderCancelRequested, cancel)).toThrow("has no shipment yet");
  });
});

test("whatever comes in whatever order, the table holds, and goods are never both kept and sent", () => {
  const step = fc.constantFrom("confirm", "cancel", "dispatch", "deliver", "due");
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 20, size: "max" }),
      fc.constantFrom(undefined, 0, 500),
      (steps, dispatchAfterMs) => {
        const shop = specification(fulfilment(dispatchAfterMs === undefined ? {} : { dispatchAfterMs }));
        const told: string[] = typesOf(shop.when(orderConfirmed, confirmed));
        for (const next of steps) {
          const before = shop.state(shipment("o-1"))!.status;
          if (next === "confirm") told.push(...typesOf(shop.when(orderConfirmed, confirmed)));
          if (next === "cancel") told.push(...typesOf(shop.when(orderCancelRequested, cancel)));
          if (next === "dispatch") told.push(...typesOf(shop.when(shipmentDispatch, { orderId: "o-1" })));
          if (next === "deliver") told.push(...typesOf(shop.when(shipmentDeliver, { orderId: "o-1" })));
          if (next === "due") told.push(...typesOf(shop.due(dispatchDue, "o-1")));
          expect([before, ...transitions[before]]).toContain(shop.state(shipment("o-1"))!.status);
        }
        const ends = told.filter((type) => type === "shipment.dispatched" || type === "shipment.cancelled");
        expect(ends.length).toBeLessThanOrEqual(1);
      },
    ),
  );
});
