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
  orderIn,
  shipmentIn,
  stockIn,
  told,
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

/** What a type of message says of its order. */
export type Meaning =
  | { readonly of: "asked" | "nothing new" }
  | { readonly of: "order"; readonly is: ToldStatus }
  | { readonly of: "stock"; readonly is: ToldStock }
  | { readonly of: "shipment"; readonly is: ToldShipment }
  | { readonly of: "money"; readonly is: keyof typeof told };

const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ...[orderPlace.name, orderImport.name].map((type): [string, Meaning] => [type, { of: "asked" }]),
  ...Array.from(orderEvents, ([type, is]): [string, Meaning] => [type, { of: "order", is }]),
  ...Array.from(stockEvents, ([type, is]): [string, Meaning] => [type, { of: "stock", is }]),
  ...Array.from(shipmentEvents, ([type, is]): [string, Meaning] => [type, { of: "shipment", is }]),
  ...Array.from(paymentEvents, ([type, is]): [string, Meaning] => [type, { of: "money", is }]),
  ...Array.from(others, (type): [string, Meaning] => [type, { of: "nothing new" }]),
]);

/** What messages of a type say of the order that they are about, by its id; undefined when they are about none. */
export function meaningOf(type: string): Meaning | undefined {
  return meanings.get(type);
}

/**
 * What a message makes of what the log told of its order. A message that may not follow what came before it is a breach of
 * the order per key, and one that moves money a second time of the bounds of money.
 */
export function toldAfter(
  word: number,
  message: LogMessage,
  meaning: Meaning,
  cutMs: number,
  findings: Findings,
): number {
  switch (meaning.of) {
    case "asked":
      return word | told.asked;
    case "order": {
      const before = orderIn(word);
      const begins = before === "unknown" && orderNext["unknown"]!.includes(meaning.is) && message.atMs > cutMs;
      checkNext(orderNext, before, meaning.is, message, cutMs, findings);
      return withOrder(word, meaning.is) | (begins ? told.begun : 0);
    }
    case "stock":
      checkNext(stockNext, stockIn(word), meaning.is, message, cutMs, findings);
      return withStock(word, meaning.is);
    case "shipment":
      checkNext(shipmentNext, shipmentIn(word), meaning.is, message, cutMs, findings);
      return withShipment(word, meaning.is);
    case "money":
      if ((word & told[meaning.is]) !== 0) sayTwice(message, findings);
      return word | told[meaning.is];
    default:
      return word;
  }
}

function checkNext(next: Next, from: string, to: string, message: LogMessage, cutMs: number, findings: Findings): void {
  const isCut = cutMs !== -Infinity;
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
