import type { HistoryEntry, Order } from "@waybill/orders";

const opening = '"history":[';
/** Where a history ends: behind it the next member, or the end of the order. */
const closings = [']],"', "]]}", '[],"', "[]}"];

/**
 * An order without its history, which is more than half of it and seldom looked at. What is left is an order only if the text is
 * cut where it should be; otherwise, as when an id holds brackets, all of it is parsed.
 */
export function orderOf(body: string): Order {
  const from = body.indexOf(opening);
  if (from < 0) return JSON.parse(body) as Order;
  const start = from + opening.length - 1;
  let end = -1;
  for (const closing of closings) {
    const at = body.indexOf(closing, start);
    if (at >= 0 && (end < 0 || at < end)) end = at;
  }
  if (end < 0) return JSON.parse(body) as Order;
  try {
    return JSON.parse(`${body.slice(0, start)}[]${body.slice(end + 2)}`) as Order;
  } catch {
    return JSON.parse(body) as Order;
  }
}

/** The history that was left out. */
export function historyOf(body: string): readonly HistoryEntry[] {
  return (JSON.parse(body) as Order).history;
}
