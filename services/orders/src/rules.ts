import {
  assertTransition,
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
  sameOrder,
  say,
  type OrderCancelled,
  type OrderImport,
  type OrderPlace,
  type OrderRejected,
  type PaymentUncertain,
  type Said,
  type ShipmentDispatched,
  type StockRefused,
} from "@waybill/contracts";
import { transitions, type Order, type OrderStatus } from "./order.ts";
import type { Priced } from "./pricing.ts";

/** The order as it shall be, what to say, and whether half of its payment deadline begins, or all of it ends. */
export interface Decision {
  readonly order: Order;
  readonly say: readonly Said[];
  readonly deadline?: "set" | "clear";
}

/** What a rule answers when nothing changes and there is nothing to say. */
type Maybe = Decision | undefined;

/** A new order: placed with its prices, or rejected with what is wrong with it. */
export function place(m: OrderPlace | OrderImport, priced: Priced): Decision {
  if (priced.kind !== "priced") return rejectedAtOnce(m, priced);
  const { lines, total } = priced;
  const order = begun(m, "placed", { lines, total });
  const { orderId, placedAtMs, currency } = m;
  const country = m.country === undefined ? {} : { country: m.country };
  const body = {
    orderId,
    placedAtMs,
    customerId: m.customer.id,
    currency,
    ...country,
    lines,
    total,
  };
  return { order, say: [say(orderPlaced, body)] };
}

function rejectedAtOnce(m: OrderPlace | OrderImport, priced: Exclude<Priced, { kind: "priced" }>): Decision {
  const reason = priced.kind === "refused" ? "lines-refused" : "total-too-large";
  const problems = priced.kind === "refused" ? priced.problems : [];
  const order = begun(m, "rejected", { lines: m.lines, total: 0, reason, problems });
  return { order, say: [say(orderRejected, { ...whose(order), reason, problems, short: [] })] };
}

/** Whose order it is, and when it was placed. */
function whose({ orderId, customer, placedAtMs }: Order) {
  return { orderId, customerId: customer.id, placedAtMs };
}

function begun(
  m: OrderPlace | OrderImport,
  status: "placed" | "rejected",
  rest: Pick<Order, "lines" | "total"> & Partial<Order>,
): Order {
  const { orderId, placedAtMs, customer, currency, country, payment } = m;
  const where = country === undefined ? {} : { country };
  const money = { captured: 0, refunded: 0 };
  return {
    orderId,
    status,
    placedAtMs,
    customer,
    currency,
    ...where,
    payment,
    ...money,
    ...rest,
    history: [],
  };
}

/** The same id again: nothing when it is the same order, and a note when it is another one. */
export function placedAgain(order: Order, m: OrderPlace | OrderImport): Maybe {
  if (sameOrder(order, m)) return undefined;
  return noted({ ...order, conflicts: (order.conflicts ?? 0) + 1 });
}

/** The goods are held: asks for the money, and begins to wait for it. */
export function goodsReserved(order: Order): Maybe {
  if (order.status === "cancelled") return noted(order);
  if (order.status !== "placed") return undefined;
  const { orderId, total: amount, currency, payment } = order;
  const said = say(orderReserved, { orderId, amount, currency, token: payment.token });
  return { order: moved(order, "reserved"), say: [said], deadline: "set" };
}

export function goodsRefused(order: Order, m: StockRefused): Maybe {
  if (order.status === "cancelled") return noted(order);
  if (order.status !== "placed") return undefined;
  const reason: OrderRejected["reason"] = "out-of-stock";
  const { short } = m;
  return {
    order: { ...moved(order, "rejected"), reason, short },
    say: [say(orderRejected, { ...whose(order), reason, problems: [], short })],
  };
}

/** The money is held. When the order is cancelled by now, payments gives it back; here it is only noted. */
export function paymentHeld(order: Order): Maybe {
  if (order.status !== "reserved") return order.status === "cancelled" ? noted(order) : undefined;
  const { orderId, customer, currency, total } = order;
  const lines = order.lines.map(({ sku, quantity }) => ({ sku, quantity }));
  return {
    order: { ...moved(order, "confirmed"), attention: undefined },
    say: [say(orderConfirmed, { orderId, customer, currency, total, lines })],
    deadline: "clear",
  };
}

export function paymentDeclinedBy(order: Order, reason: string): Maybe {
  const known: Order = { ...order, attention: undefined, moneySettled: true };
  if (order.status === "reserved") return cancelledFor(known, "payment-declined", reason);
  return order.status === "cancelled" ? noted(known) : undefined;
}

/**
 * Half of the deadline has passed. The second half counts only once the gateway is seen: while it is away nobody can pay, and an
 * order waits for it.
 */
export function halfPassed(order: Order): Maybe {
  if (order.status !== "reserved") return undefined;
  if (order.gateway === "seen")
    return cancelledFor(order, "payment-timeout", "The payment was not authorised in time.");
  if (order.gateway === "asked") return { order, say: [], deadline: "set" };
  const { orderId } = order;
  return { order: { ...order, gateway: "asked" }, say: [say(orderPaymentAwaited, { orderId })], deadline: "set" };
}

/** The gateway is there, and has not decided: from here on it has the other half of the deadline. */
export function gatewaySeen(order: Order): Maybe {
  if (order.status !== "reserved" || order.gateway !== "asked") return undefined;
  return { order: { ...order, gateway: "seen" }, say: [], deadline: "set" };
}

/**
 * Somebody wants to cancel. Before the money is held the order decides by itself; after that fulfilment knows whether
 * the goods are still there; once they have left it is too late.
 */
export function cancelAsked(order: Order, reason: string): Maybe {
  switch (order.status) {
    case "placed":
    case "reserved":
      return cancelledFor(order, "requested", reason);
    case "confirmed":
      return {
        order: { ...moved(order, "cancelling"), detail: reason },
        say: [say(orderCancelRequested, { orderId: order.orderId, reason })],
      };
    case "shipped":
    case "unpaid":
    case "completed":
      return cancelTooLate(order);
    default:
      return undefined;
  }
}

function cancelTooLate(order: Order): Maybe {
  if (order.cancelRefused !== undefined) return undefined;
  const reason = "The goods have left.";
  return {
    order: { ...order, cancelRefused: reason },
    say: [say(orderCancelRefused, { orderId: order.orderId, reason })],
  };
}

/** The answer to a cancel of an order that nobody has placed. */
export function cancelOfNothing(orderId: string): Said {
  return say(orderCancelRefused, { orderId, reason: "There is no such order." });
}

/** Fulfilment has kept the goods. */
export function goodsKept(order: Order, reason: string): Maybe {
  return order.status === "cancelling" ? cancelledFor(order, "requested", reason) : undefined;
}

function cancelledFor(order: Order, reason: OrderCancelled["reason"], detail: string): Decision {
  const { orderId, customer, placedAtMs } = order;
  return {
    order: { ...moved(order, "cancelled"), reason, detail },
    say: [say(orderCancelled, { orderId, customer, placedAtMs, reason, detail })],
    ...(order.status === "reserved" ? { deadline: "clear" as const } : {}),
  };
}

/** The goods have left; a cancel that was on its way has lost the race. */
export function goodsSent(order: Order, m: ShipmentDispatched, atMs: number): Maybe {
  if (order.status === "cancelled") return attentionTo(order, "The goods have left although the order is cancelled.");
  if (order.status !== "confirmed" && order.status !== "cancelling") return undefined;
  const { orderId, customer } = order;
  const tracking = m.tracking === undefined ? {} : { tracking: m.tracking };
  const shipped: Decision = {
    order: { ...moved(order, "shipped"), shippedAtMs: atMs, ...tracking },
    say: [say(orderShipped, { orderId, customer, ...tracking })],
  };
  const refused = order.status === "cancelling" ? cancelTooLate(shipped.order) : undefined;
  return refused === undefined ? shipped : { order: refused.order, say: [...shipped.say, ...refused.say] };
}

export function goodsDelivered(order: Order, atMs: number): Maybe {
  return order.deliveredAtMs === undefined ? noted({ ...order, deliveredAtMs: atMs }) : undefined;
}

/** The money is taken. For a cancelled order payments gives it back; until then the order shows that it is there. */
export function paymentTaken(order: Order, amount: number): Maybe {
  if (order.captured > 0 || order.status === "completed") return undefined;
  const paid: Order = { ...order, captured: amount, attention: undefined };
  if (order.status !== "shipped" && order.status !== "unpaid") return noted(paid);
  const { orderId, placedAtMs, currency, total } = order;
  const country = order.country === undefined ? {} : { country: order.country };
  const body = { orderId, customerId: order.customer.id, placedAtMs, ...country, currency, total };
  return { order: moved(paid, "completed"), say: [say(orderCompleted, body)] };
}

/** The goods are gone and the money was refused: visible, until somebody has got it. */
export function paymentNotTaken(order: Order, reason: string): Maybe {
  const attention = `The capture was refused: ${reason}`;
  if (order.status === "shipped") return attentionTo(moved(order, "unpaid"), attention);
  return order.status === "cancelled" ? attentionTo(order, attention) : undefined;
}

/** The money that was held for a cancelled order is held no longer. */
export function paymentReleased(order: Order): Maybe {
  return order.status === "cancelled" ? noted({ ...order, attention: undefined, moneySettled: true }) : undefined;
}

export function paymentGivenBack(order: Order, amount: number): Maybe {
  if (order.refunded > 0) return undefined;
  const { orderId, customer, currency } = order;
  return {
    order: { ...order, refunded: amount, attention: undefined, moneySettled: true },
    say: [say(orderRefunded, { orderId, customer, currency, amount })],
  };
}

/** Nobody can tell whether a call to the gateway happened. */
export function paymentUncertainBy(order: Order, m: PaymentUncertain): Maybe {
  const isOver = m.operation === "authorise" && order.status !== "reserved" && order.status !== "cancelled";
  return isOver ? undefined : attentionToMoney(order, `The ${m.operation} is uncertain: ${m.reason}`);
}

/** Money of a cancelled order that could not be given back. */
export function paymentStuck(order: Order, what: "void" | "refund", reason: string): Maybe {
  return attentionToMoney(order, `The ${what} was refused: ${reason}`);
}

function attentionToMoney(order: Order, attention: string): Maybe {
  const isSettled = order.moneySettled === true || order.status === "completed";
  return isSettled ? undefined : attentionTo(order, attention);
}

/** Tells people to look at an order that nobody can settle without them. */
function attentionTo(order: Order, attention: string): Maybe {
  if (order.attention === attention) return undefined;
  const reason = attention.slice(0, 500);
  const { orderId, placedAtMs } = order;
  return { order: { ...order, attention }, say: [say(orderAttentionNeeded, { orderId, reason, placedAtMs })] };
}

/** Keeps what is known now, and the message in the history, without a word. */
function noted(order: Order): Decision {
  return { order, say: [] };
}

function moved(order: Order, to: OrderStatus): Order {
  assertTransition(transitions, order.status, to);
  return { ...order, status: to };
}
