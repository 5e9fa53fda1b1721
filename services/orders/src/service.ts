import {
  orderAttentionNeeded,
  orderCancel,
  orderCancelled,
  orderCancelRefused,
  orderCancelRequested,
  orderCompleted,
  orderConfirmed,
  orderImport,
  orderPaymentAwaited,
  orderPlace,
  orderPlaced,
  orderRefunded,
  orderRejected,
  orderReserved,
  orderShipped,
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
  productChanged,
  shipmentCancelled,
  shipmentDelivered,
  shipmentDispatched,
  stockRefused,
  stockReserved,
} from "@waybill/contracts";
import {
  service,
  state,
  timer,
  when,
  whenDue,
  type Frozen,
  type Held,
  type MessageType,
  type Out,
  type Rule,
  type Service,
} from "@waybill/messaging";
import { remembered } from "./history.ts";
import type { Order, Product } from "./order.ts";
import { pricedByCatalogue, pricedByItself } from "./pricing.ts";
import * as rules from "./rules.ts";
import type { Decision } from "./rules.ts";

/** By the order's id. */
export const order = state<Order>("order");
/** By SKU: what orders knows of the catalogue. */
export const product = state<Product>("product");
/** Half of the time in which the money must be held. */
export const paymentDeadline = timer("payment-deadline");

export interface OrdersOptions {
  /** How long the goods are held without the money, while the gateway is there. Default 15 minutes. */
  readonly paymentDeadlineMs?: number;
}

/** An order's whole life. Its prices come from products, which orders share, so one lane owns all of it. */
export function orders({ paymentDeadlineMs = 900_000 }: OrdersOptions = {}): Service {
  const on = [
    when(
      productChanged,
      (m) => [product(m.sku)],
      ({ price, currency, active }, [held], out) => out.save(held, { price, currency, active }),
    ),
    when(
      orderPlace,
      (m) => [order(m.orderId)],
      (m, [held]) => (held.value === undefined ? skusOf(m.lines).map(product) : []),
      (m, [held], products, out) => {
        if (held.value !== undefined) return carryOut(held, rules.placedAgain(held.value, m), out);
        const known = new Map(products.map(({ ref, value }) => [ref.id, value]));
        const priced = pricedByCatalogue(m, (sku) => known.get(sku));
        carryOut(held, rules.place(m, priced), out);
      },
    ),
    when(
      orderImport,
      (m) => [order(m.orderId)],
      (m, [held], out) => {
        if (held.value !== undefined) return carryOut(held, rules.placedAgain(held.value, m), out);
        carryOut(held, rules.place(m, pricedByItself(m)), out);
      },
    ),
    when(
      orderCancel,
      (m) => [order(m.orderId)],
      (m, [held], out) => {
        if (held.value !== undefined) return carryOut(held, rules.cancelAsked(held.value, m.reason), out);
        const { type, body } = rules.cancelOfNothing(m.orderId);
        out.send(type, body);
      },
    ),
    whenDue(
      paymentDeadline,
      (fired) => [order(fired.key)],
      (_, [held], out) => {
        if (held.value !== undefined) carryOut(held, rules.halfPassed(held.value), out);
      },
    ),
    told(stockReserved, (known) => rules.goodsReserved(known)),
    told(stockRefused, (known, m) => rules.goodsRefused(known, m)),
    told(paymentAuthorised, (known) => rules.paymentHeld(known)),
    told(paymentOutstanding, (known) => rules.gatewaySeen(known)),
    told(paymentDeclined, (known, m) => rules.paymentDeclinedBy(known, m.reason)),
    told(
      paymentCaptured,
      afterDispatch((known, m) => rules.paymentTaken(known, m.amount)),
    ),
    told(
      paymentCaptureRefused,
      afterDispatch((known, m) => rules.paymentNotTaken(known, m.reason)),
    ),
    told(paymentVoided, (known) => rules.paymentReleased(known)),
    told(paymentRefunded, (known, m) => rules.paymentGivenBack(known, m.amount)),
    told(paymentVoidRefused, (known, m) => rules.paymentStuck(known, "void", m.reason)),
    told(paymentRefundRefused, (known, m) => rules.paymentStuck(known, "refund", m.reason)),
    told(paymentUncertain, (known, m) => rules.paymentUncertainBy(known, m)),
    told(shipmentDispatched, (known, m, out) => rules.goodsSent(known, m, out.input.atMs)),
    told(shipmentDelivered, (known, _, out) => rules.goodsDelivered(known, out.input.atMs)),
    told(shipmentCancelled, (known, m) => rules.goodsKept(known, m.reason)),
  ];
  return service("orders", { level: 2, lanesMax: 1, on, sends });

  /** A rule for what another service says of an order that it can only know from here. */
  function told<B extends { readonly orderId: string }>(
    type: MessageType<B>,
    decide: (known: Order, body: Frozen<B>, out: Out) => Decision | undefined,
  ): Rule {
    return when(
      type,
      (m) => [order((m as B).orderId)],
      (m, [held], out) => {
        if (held.value === undefined) out.notYet(`Order ${(m as B).orderId} is not known yet.`);
        else carryOut(held, decide(held.value, m, out), out);
      },
    );
  }

  function carryOut(held: Held<Order>, decision: Decision | undefined, out: Out): void {
    if (decision === undefined) return;
    const sent = decision.say.map(({ type, body }) => out.send(type, body));
    if (decision.deadline === "set") out.at(paymentDeadline, out.nowMs + Math.ceil(paymentDeadlineMs / 2));
    if (decision.deadline === "clear") out.clear(paymentDeadline);
    out.save(held, {
      ...decision.order,
      history: remembered(decision.order.history, out.input, sent),
    });
  }
}

/** Payments hears of a dispatch at the same moment as orders, and may be heard first. */
function afterDispatch<B>(decide: (known: Order, body: B) => Decision | undefined) {
  return (known: Order, body: B, out: Out): Decision | undefined => {
    if (known.status === "confirmed" || known.status === "cancelling") {
      return out.notYet(`Order ${known.orderId} has not heard of its dispatch yet.`);
    }
    return decide(known, body);
  };
}

function skusOf(lines: readonly { readonly sku: string }[]): readonly string[] {
  return [...new Set(lines.map(({ sku }) => sku))];
}

const sends = [
  orderAttentionNeeded,
  orderCancelled,
  orderCancelRefused,
  orderCancelRequested,
  orderCompleted,
  orderConfirmed,
  orderPaymentAwaited,
  orderPlaced,
  orderRefunded,
  orderRejected,
  orderReserved,
  orderShipped,
];
