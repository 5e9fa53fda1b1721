import { orderPlace, productPut, stockAdjust } from "@waybill/contracts";
import { reservation, stock } from "@waybill/inventory";
import { order } from "@waybill/orders";
import { payment, sums } from "@waybill/payments";
import { expect, test } from "vitest";
import { shop } from "./router.ts";

test("an order that meets no trouble is placed, held, paid, sent and completed with eleven messages", () => {
  const first = shop({ pick: () => 0 });
  first.send(productPut, {
    sku: "mug",
    title: "A mug",
    price: "2.55",
    currency: "GBP",
    active: true,
  });
  first.send(stockAdjust, { adjustmentId: "a-1", sku: "mug", quantity: 100, reason: "Delivery" });
  while (first.deliver());
  const before = first.said.length;
  first.send(orderPlace, {
    orderId: "o-1",
    placedAtMs: 1_291_191_960_000,
    customer: { id: "c-1", email: "ann@example.org" },
    currency: "GBP",
    lines: [{ sku: "mug", quantity: 6 }],
    payment: { token: "tok_approved" },
  });
  const answer = () => ({ kind: "done", value: { paymentId: "p-1", operationId: "op" } }) as const;
  while (first.deliver() || first.answer(answer));

  expect(first.said.slice(before).map(({ type }) => type.name)).toEqual([
    "order.place",
    "order.placed",
    "stock.reserved",
    "order.reserved",
    "payment.authorised",
    "order.confirmed",
    "shipment.dispatched",
    "order.shipped",
    "stock.shipped",
    "payment.captured",
    "order.completed",
  ]);
  const { orders, inventory, payments } = first.services;
  expect(orders!.state(order("o-1"))).toMatchObject({
    status: "completed",
    total: 1530,
    captured: 1530,
  });
  expect(inventory!.state(stock("mug"))).toMatchObject({ onHand: 94, reserved: 0 });
  expect(inventory!.state(reservation("o-1"))).toMatchObject({ status: "shipped" });
  expect(sums(payments!.state(payment("o-1"))!.ledger)).toEqual({
    authorised: 1530,
    captured: 1530,
    released: 0,
    refunded: 0,
  });
  expect(first.timers.size).toBe(0);
});
