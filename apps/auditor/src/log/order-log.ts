import {
  orderCancelled,
  orderCancelRequested,
  orderCompleted,
  orderConfirmed,
  orderImport,
  orderPlace,
  orderPlaced,
  orderRejected,
  orderReserved,
  orderShipped,
  paymentAuthorised,
  paymentCaptured,
  paymentDeclined,
  paymentRefunded,
  paymentVoided,
  shipmentCancelled,
  shipmentDelivered,
  shipmentDispatched,
  stockRefused,
  stockReleased,
  stockReserved,
  stockShipped,
} from "@waybill/contracts";
import { transitions as shipmentTransitions } from "@waybill/fulfilment";
import { transitions as stockTransitions } from "@waybill/inventory";
import { transitions as orderTransitions } from "@waybill/orders";
import type { LogMessage } from "../books.ts";
import type { Findings } from "../findings.ts";
import { placeOf } from "./chains.ts";
import {
  told,
  toldOf,
  withOrder,
  withShipment,
  withStock,
  type ToldShipment,
  type ToldStatus,
  type ToldStock,
} from "./told.ts";

const orderEvents: ReadonlyMap<string, ToldStatus> = new Map<string, ToldStatus>([
  [orderPlaced.name, "placed"],
  [orderRejected.name, "rejected"],
  [orderReserved.name, "reserved"],
  [orderConfirmed.name, "confirmed"],
  [orderCancelRequested.name, "cancelling"],
  [orderShipped.name, "shipped"],
  [orderCompleted.name, "completed"],
  [orderCancelled.name, "cancelled"],
]);
const stockEvents: ReadonlyMap<string, ToldStock> = new Map<string, ToldStock>([
  [stockReserved.name, "held"],
  [stockRefused.name, "refused"],
  [stockReleased.name, "released"],
  [stockShipped.name, "shipped"],
]);
const shipmentEvents: ReadonlyMap<string, ToldShipment> = new Map<string, ToldShipment>([
  [shipmentDispatched.name, "dispatched"],
  [shipmentDelivered.name, "delivered"],
  [shipmentCancelled.name, "cancelled"],
]);
const paymentEvents: ReadonlyMap<string, keyof typeof told> = new Map<string, keyof typeof told>([
  [paymentAuthorised.name, "authorised"],
  [paymentDeclined.name, "declined"],
  [paymentCaptured.name, "captured"],
  [paymentVoided.name, "voided"],
  [paymentRefunded.name, "refunded"],
]);

type Next = Readonly<Record<string, readonly string[]>>;

/** From what is known to what may follow; `unpaid` is no event, so what may follow it may follow `shipped`. */
const orderNext: Next = {
  unknown: ["placed", "rejected"],
  ...orderTransitions,
  shipped: [...orderTransitions.shipped, ...orderTransitions.unpaid],
};
const stockNext: Next = { unknown: ["held", "refused"], ...stockTransitions };
// That a shipment waits is no event.
const shipmentNext: Next = { unknown: shipmentTransitions.waiting, ...shipmentTransitions };

const asks: ReadonlySet<string> = new Set([orderPlace.name, orderImport.name]);

/** True for messages that are about an order, by its id. */
export function isAboutOrder(type: string): boolean {
  return (
    asks.has(type) ||
    orderEvents.has(type) ||
    stockEvents.has(type) ||
    shipmentEvents.has(type) ||
    paymentEvents.has(type) ||
    others.has(type)
  );
}

/** Said of an order, without changing what it is. */
const others: ReadonlySet<string> = new Set([
  "order.cancel",
  "order.cancel-refused",
  "order.attention-needed",
  "order.refunded",
  "payment.capture-refused",
  "payment.refund-refused",
  "payment.uncertain",
  "payment.void-refused",
  "payment.resolve",
  "shipment.dispatch",
  "shipment.deliver",
  "shipment.refused",
]);

/**
 * What a message makes of what the log told of its order. A message that may not follow what came before it is a breach of
 * the order per key, and one that moves money a second time of the bounds of money.
 */
export function toldAfter(word: number, message: LogMessage, cutMs: number, findings: Findings): number {
  const { type } = message;
  if (asks.has(type)) return word | told.asked;
  const before = toldOf(word);
  const isCut = cutMs !== -Infinity;
  const order = orderEvents.get(type);
  if (order !== undefined) {
    const begins = before.order === "unknown" && orderNext["unknown"]!.includes(order) && message.atMs > cutMs;
    checkNext(orderNext, before.order, order, message, isCut, findings);
    return withOrder(word, order) | (begins ? told.begun : 0);
  }
  const stock = stockEvents.get(type);
  if (stock !== undefined) {
    checkNext(stockNext, before.stock, stock, message, isCut, findings);
    return withStock(word, stock);
  }
  const shipment = shipmentEvents.get(type);
  if (shipment !== undefined) {
    checkNext(shipmentNext, before.shipment, shipment, message, isCut, findings);
    return withShipment(word, shipment);
  }
  const money = paymentEvents.get(type);
  if (money === undefined) return word;
  if (before.has(money)) sayTwice(message, findings);
  return word | told[money];
}

function checkNext(
  next: Next,
  from: string,
  to: string,
  message: LogMessage,
  isCut: boolean,
  findings: Findings,
): void {
  if (next[from]?.includes(to) === true || (isCut && from === "unknown")) return;
  findings.breach({
    law: 3,
    what: `${message.type} of order ${message.subject} cannot follow what its topic said of it before: ${from}.`,
    where: placeOf(message),
    sinceMs: message.atMs,
    remedy: "Look at the order's journey (waybill order), and at who else writes to this topic.",
  });
}

function sayTwice(message: LogMessage, findings: Findings): void {
  findings.breach({
    law: 6,
    what: `${message.type} of order ${message.subject} is said a second time.`,
    where: placeOf(message),
    sinceMs: message.atMs,
    remedy: "Look the payment up at the gateway; give back what was taken twice.",
  });
}
