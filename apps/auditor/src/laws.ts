/** The nine laws, by number: what must hold, in a few words for a table. */
export const laws = {
  1: "messages are stored, in unbroken chains",
  2: "each effect happened once",
  3: "order per key is as sent",
  4: "stock: movements, shelf and reservations agree",
  5: "each reservation ends or has a live deadline",
  6: "money of an order stays within its bounds",
  7: "our ledger is the gateway's, to the penny",
  8: "each order is settled or has a next step",
  9: "states equal what the log tells of them",
} as const;

export type Law = keyof typeof laws;

export const allLaws: readonly Law[] = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/** What would put a breach right by itself: a command at one of the shop's doors, or a call to the payment gateway. */
export type Fix =
  | { readonly kind: "message"; readonly type: string; readonly body: Readonly<Record<string, unknown>> }
  | {
      readonly kind: "gateway";
      readonly path: string;
      /** The idempotency key: sending the same fix twice does it once. */
      readonly key: string;
      readonly body: Readonly<Record<string, unknown>>;
    };

/** One thing that does not hold. */
export interface Breach {
  readonly law: Law;
  /** What is wrong, in one sentence with its numbers. */
  readonly what: string;
  /** Where: `order 0198…`, `SKU 85123A`, `orders/17@4711`. */
  readonly where: string;
  /** When it became so, or the last moment at which all was well, as near as the data tell; in milliseconds. */
  readonly sinceMs: number | undefined;
  /** What a person would do about it. */
  readonly remedy: string;
  readonly fix?: Fix;
}
