import { event, type Frozen } from "@waybill/messaging";
import { type } from "arktype";
import {
  amount,
  country,
  currency,
  customer,
  id,
  quantity,
  sku,
  text,
  timeMs,
  token,
  unitPrice,
  units,
} from "./fields.ts";
import { topics } from "./topics.ts";

const orderId = "0198c2a4-5f00-7000-8000-000000000001";
const ann = { id: "17850", email: "ann@example.org" };
const to = { topic: topics.orders, subject: (body: { readonly orderId: string }) => body.orderId };

const placedLine = type({ sku, quantity, unitPrice, amount });
const placedSchema = type({
  orderId: id,
  placedAtMs: timeMs,
  customerId: id,
  currency,
  "country?": country,
  lines: placedLine.array(),
  total: amount,
});

/** An order has its prices, and asks for its goods. */
export type OrderPlaced = Frozen<typeof placedSchema.infer>;

export const orderPlaced = event<OrderPlaced>("order.placed", {
  ...to,
  schema: placedSchema,
  samples: [
    {
      orderId,
      placedAtMs: 1_291_191_960_000,
      customerId: ann.id,
      currency: "GBP",
      country: "United Kingdom",
      lines: [{ sku: "85123A", quantity: 6, unitPrice: "2.55", amount: 1530 }],
      total: 1530,
    },
  ],
});

const problem = type({
  line: "number.integer >= 0",
  sku,
  problem: "'unknown-sku' | 'inactive-sku' | 'wrong-currency'",
});
export const shortSchema = type({ sku, wanted: units, available: units, short: units });

/** Why a line, counted from 0, cannot be sold. */
export type LineProblem = Frozen<typeof problem.infer>;
/** How far the stock of a SKU falls short of what an order wants. */
export type ShortLine = Frozen<typeof shortSchema.infer>;

const rejectedSchema = type({
  orderId: id,
  /** Who ordered it, and when: a rejection may be the first word on an order. Absent from what older builds have said. */
  "customerId?": id,
  "placedAtMs?": timeMs,
  reason: "'lines-refused' | 'total-too-large' | 'out-of-stock'",
  problems: problem.array(),
  short: shortSchema.array(),
});

/** The shop cannot sell this; nothing was held and nothing was charged. */
export type OrderRejected = Frozen<typeof rejectedSchema.infer>;

export const orderRejected = event<OrderRejected>("order.rejected", {
  ...to,
  schema: rejectedSchema,
  samples: [
    {
      orderId,
      customerId: ann.id,
      placedAtMs: 1_291_191_960_000,
      reason: "lines-refused",
      problems: [{ line: 0, sku: "85123A", problem: "inactive-sku" }],
      short: [],
    },
    {
      orderId,
      reason: "out-of-stock",
      problems: [],
      short: [{ sku: "85123A", wanted: 6, available: 4, short: 2 }],
    },
  ],
});

const reservedSchema = type({ orderId: id, amount, currency, token });

/** The goods are held, and the money is asked for. */
export type OrderReserved = Frozen<typeof reservedSchema.infer>;

export const orderReserved = event<OrderReserved>("order.reserved", {
  ...to,
  schema: reservedSchema,
  samples: [{ orderId, amount: 1530, currency: "GBP", token: "tok_approved" }],
});

const awaitedSchema = type({ orderId: id });

/** The money has not come for half of the time that it has. */
export type OrderPaymentAwaited = Frozen<typeof awaitedSchema.infer>;

/** Whether the gateway is there at all decides whether the deadline counts. */
export const orderPaymentAwaited = event<OrderPaymentAwaited>("order.payment-awaited", {
  ...to,
  schema: awaitedSchema,
  samples: [{ orderId }],
});

const confirmedSchema = type({
  orderId: id,
  customer,
  currency,
  total: amount,
  lines: type({ sku, quantity }).array(),
});

/** Held and paid for: the goods may be sent. */
export type OrderConfirmed = Frozen<typeof confirmedSchema.infer>;

export const orderConfirmed = event<OrderConfirmed>("order.confirmed", {
  ...to,
  schema: confirmedSchema,
  samples: [
    {
      orderId,
      customer: ann,
      currency: "GBP",
      total: 1530,
      lines: [{ sku: "85123A", quantity: 6 }],
    },
  ],
});

const reasonSchema = type({ orderId: id, reason: text });

/** An order by its id, and a reason for people. */
export type OrderWithReason = Frozen<typeof reasonSchema.infer>;

const withReason = (reason: string) => ({
  ...to,
  schema: reasonSchema,
  samples: [{ orderId, reason }],
});

/** A confirmed order shall be cancelled: fulfilment decides whether it is still there. */
export const orderCancelRequested = event<OrderWithReason>("order.cancel-requested", withReason("Ordered by mistake."));

/** It is too late to cancel, or there is no such order. */
export const orderCancelRefused = event<OrderWithReason>("order.cancel-refused", withReason("The goods have left."));

const attentionSchema = type({ orderId: id, reason: text, "placedAtMs?": timeMs });

/** What a person must look at; `placedAtMs` is absent from what older builds have said. */
export type OrderAttentionNeeded = Frozen<typeof attentionSchema.infer>;

/** A person must look at this order; the reason says at what. */
export const orderAttentionNeeded = event<OrderAttentionNeeded>("order.attention-needed", {
  ...to,
  schema: attentionSchema,
  samples: [{ orderId, reason: "The capture was refused: insufficient_funds.", placedAtMs: 1_291_191_960_000 }],
});

const cancelledSchema = type({
  orderId: id,
  customer,
  /** When it was placed; absent from what older builds have said. */
  "placedAtMs?": timeMs,
  reason: "'requested' | 'payment-declined' | 'payment-timeout'",
  detail: text,
});

/** Over: what was held is released, and what was paid is given back. */
export type OrderCancelled = Frozen<typeof cancelledSchema.infer>;

export const orderCancelled = event<OrderCancelled>("order.cancelled", {
  ...to,
  schema: cancelledSchema,
  samples: [
    {
      orderId,
      customer: ann,
      placedAtMs: 1_291_191_960_000,
      reason: "payment-declined",
      detail: "card_declined",
    },
  ],
});

const shippedSchema = type({ orderId: id, customer, "tracking?": text });

/** The goods have left. */
export type OrderShipped = Frozen<typeof shippedSchema.infer>;

export const orderShipped = event<OrderShipped>("order.shipped", {
  ...to,
  schema: shippedSchema,
  samples: [
    { orderId, customer: ann },
    { orderId, customer: ann, tracking: "1Z 999" },
  ],
});

const completedSchema = type({
  orderId: id,
  customerId: id,
  placedAtMs: timeMs,
  "country?": country,
  currency,
  total: amount,
});

/** Sent and paid. */
export type OrderCompleted = Frozen<typeof completedSchema.infer>;

export const orderCompleted = event<OrderCompleted>("order.completed", {
  ...to,
  schema: completedSchema,
  samples: [{ orderId, customerId: ann.id, placedAtMs: 1_291_191_960_000, currency: "GBP", total: 1530 }],
});

const refundedSchema = type({ orderId: id, customer, currency, amount });

/** Money went back to the customer. */
export type OrderRefunded = Frozen<typeof refundedSchema.infer>;

export const orderRefunded = event<OrderRefunded>("order.refunded", {
  ...to,
  schema: refundedSchema,
  samples: [{ orderId, customer: ann, currency: "GBP", amount: 1530 }],
});
