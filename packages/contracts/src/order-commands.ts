import { command, type Frozen } from "@waybill/messaging";
import { type } from "arktype";
import { country, currency, customer, id, linesMax, quantity, sku, text, timeMs, token, unitPrice } from "./fields.ts";
import { topics } from "./topics.ts";

const head = {
  "+": "reject",
  /** The caller's for ever: placing it again with the same content is the same order. */
  orderId: id,
  placedAtMs: timeMs,
  customer,
  currency,
  "country?": country,
  /** The gateway's token for a card; never the card. */
  payment: type({ "+": "reject", token }),
} as const;

const line = type({ "+": "reject", sku, quantity });
const orderPlaceSchema = type({
  ...head,
  lines: line.array().atLeastLength(1).atMostLength(linesMax),
});

/** A customer's order, without prices: the shop has them. */
export type OrderPlace = Frozen<typeof orderPlaceSchema.infer>;

const placed = {
  orderId: "0198c2a4-5f00-7000-8000-000000000001",
  placedAtMs: 1_291_191_960_000,
  customer: { id: "17850", email: "ann@example.org" },
  currency: "GBP",
  country: "United Kingdom",
  payment: { token: "tok_approved" },
} as const;

export const orderPlace = command<OrderPlace>("order.place", {
  topic: topics.ordersIn,
  schema: orderPlaceSchema,
  subject: (body) => body.orderId,
  samples: [{ ...placed, lines: [{ sku: "85123A", quantity: 6 }] }],
});

const pricedLine = type({ "+": "reject", sku, quantity, unitPrice });
const orderImportSchema = type({
  ...head,
  lines: pricedLine.array().atLeastLength(1).atMostLength(linesMax),
});

/** An order from a trusted source that says what each line costs; the catalogue is not asked. */
export type OrderImport = Frozen<typeof orderImportSchema.infer>;

export const orderImport = command<OrderImport>("order.import", {
  topic: topics.ordersImport,
  schema: orderImportSchema,
  subject: (body) => body.orderId,
  samples: [{ ...placed, lines: [{ sku: "85123A", quantity: 6, unitPrice: "2.55" }] }],
});

const orderCancelSchema = type({ "+": "reject", orderId: id, reason: text });

/** Somebody wants an order cancelled; it may be too late. */
export type OrderCancel = Frozen<typeof orderCancelSchema.infer>;

export const orderCancel = command<OrderCancel>("order.cancel", {
  topic: topics.ordersIn,
  schema: orderCancelSchema,
  subject: (body) => body.orderId,
  samples: [{ orderId: placed.orderId, reason: "Ordered by mistake." }],
});

/** What makes two orders with one id the same order: everything but the moment. */
export interface OrderContent {
  readonly customer: { readonly id: string; readonly email: string };
  readonly currency: string;
  readonly country?: string | undefined;
  readonly payment: { readonly token: string };
  readonly lines: readonly {
    readonly sku: string;
    readonly quantity: number;
    readonly unitPrice?: string;
  }[];
}

/**
 * True when an order that is known has the content of one that is placed again. Prices are compared only where the
 * new one names them: a customer does not.
 */
export function sameOrder(known: OrderContent, again: OrderContent): boolean {
  return (
    known.customer.id === again.customer.id &&
    known.customer.email === again.customer.email &&
    known.currency === again.currency &&
    known.country === again.country &&
    known.payment.token === again.payment.token &&
    known.lines.length === again.lines.length &&
    again.lines.every((line, at) => sameLine(known.lines[at]!, line))
  );
}

type ContentLine = OrderContent["lines"][number];

function sameLine(known: ContentLine, again: ContentLine): boolean {
  const samePrice = again.unitPrice === undefined || again.unitPrice === known.unitPrice;
  return known.sku === again.sku && known.quantity === again.quantity && samePrice;
}
