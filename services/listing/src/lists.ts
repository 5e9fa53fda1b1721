// A list is a range of ids: those that begin with its prefix. Behind the prefix stands the time at which an order was placed,
// turned round so that the newest comes first, and then the order's id. Whoever can read states in order of their ids can
// read a list a page at a time, from any time on, on every engine.

/** What an order may be in that is rare and that somebody looks for. */
export type NeedName = "rejected" | "cancelled" | "attention";

/** The prefix of the list of every order. */
export const allOrders = "t/";

/** The prefix of the list of a customer's orders. */
export function ordersOf(customerId: string): string {
  return `c/${encodeURIComponent(customerId)}/`;
}

/** The prefix of the list of orders that have once been rejected, cancelled, or in need of a person. */
export function inNeed(name: NeedName): string {
  return `s/${name}/`;
}

/** One order in a list. */
export interface ListEntry {
  readonly orderId: string;
  readonly placedAtMs: number;
}

/** The last moment that a date can name, which no order is placed after. */
const endOfTimeMs = 8_640_000_000_000_000;
const digits = 16;

/** The id that an order has in a list. */
export function idIn(list: string, { placedAtMs, orderId }: ListEntry): string {
  return `${list}${turned(placedAtMs)}/${orderId}`;
}

/** The order that an id of a list stands for; undefined when the id is of another list. */
export function entryOf(list: string, id: string): ListEntry | undefined {
  if (!id.startsWith(list)) return undefined;
  const slash = list.length + digits;
  return { placedAtMs: endOfTimeMs - Number(id.slice(list.length, slash)), orderId: id.slice(slash + 1) };
}

/** What to read a list after to see what was placed before a time only. */
export function afterTime(list: string, beforeMs: number): string {
  // The zero stands behind the slash that follows the time, and so behind every order of that very millisecond.
  return `${list}${turned(beforeMs)}0`;
}

function turned(ms: number): string {
  return String(endOfTimeMs - ms).padStart(digits, "0");
}
