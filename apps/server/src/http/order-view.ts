import { transitions, type Order } from "@waybill/orders";
import type { JourneyEntry } from "../journey.ts";

/** Nothing more happens to it by itself: it is over, or its money waits for a person. */
export function isSettled({ status }: Order): boolean {
  return transitions[status].length === 0 || status === "unpaid";
}

/** An order as the interface shows it: everything but the card's token. Amounts are minor units of the currency. */
export function orderView(order: Order, history: readonly JourneyEntry[]): Record<string, unknown> {
  const { orderId, status, placedAtMs, customer, country, currency, lines, total, captured, refunded } = order;
  const { reason, detail, problems, short, cancelRefused, attention, conflicts, tracking } = order;
  return {
    orderId,
    status,
    reason,
    detail,
    problems,
    short,
    attention,
    cancelRefused,
    conflicts,
    placedAt: timeOf(placedAtMs),
    shippedAt: timeOf(order.shippedAtMs),
    deliveredAt: timeOf(order.deliveredAtMs),
    tracking,
    customer,
    country,
    currency,
    total,
    captured,
    refunded,
    lines,
    history,
  };
}

/** An order as it stands in a list. */
export function listedView(order: Order): Record<string, unknown> {
  const { orderId, status, placedAtMs, customer, currency, total, captured, refunded, lines, attention } = order;
  const placedAt = timeOf(placedAtMs);
  return { orderId, status, placedAt, customer, currency, total, captured, refunded, lines: lines.length, attention };
}

function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
