import type { HistoryEntry, Order } from "@waybill/orders";

const quote = 34;
const comma = 44;
const closing = 93;
const brace = 125;

const opening = '"history":[';
/**
 * An order without its history, which is more than half of it and seldom looked at. What is left is an order only if the text is
 * cut where it should be; otherwise, as when an id holds brackets, all of it is parsed.
 */
export function orderOf(body: string): Order {
  const from = body.indexOf(opening);
  if (from < 0) return JSON.parse(body) as Order;
  const start = from + opening.length - 1;
  const end = closingOf(body, start);
  if (end < 0) return JSON.parse(body) as Order;
  try {
    return JSON.parse(`${body.slice(0, start)}[]${body.slice(end + 2)}`) as Order;
  } catch {
    return JSON.parse(body) as Order;
  }
}

/**
 * Where the two brackets stand that end a history, or that are all of it: behind them comes the next member, or the end of the order. -1
 * when there are none.
 */
function closingOf(body: string, start: number): number {
  if (body.charCodeAt(start + 1) === closing) return start;
  for (let at = body.indexOf("]", start); at >= 0; at = body.indexOf("]", at + 1)) {
    if (body.charCodeAt(at + 1) !== closing) continue;
    const behind = body.charCodeAt(at + 2);
    if (behind === brace || (behind === comma && body.charCodeAt(at + 3) === quote)) return at;
  }
  return -1;
}

/** The history that was left out. */
export function historyOf(body: string): readonly HistoryEntry[] {
  return (JSON.parse(body) as Order).history;
}
