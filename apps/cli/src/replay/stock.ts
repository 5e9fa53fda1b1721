import { ReplayError } from "./errors.ts";

/** What a file does to one SKU, in units, each at least 0. */
export interface Movement {
  /** By sale lines. */
  readonly sold: number;
  /** By adjustments that add. */
  readonly added: number;
  /** By adjustments that take away. */
  readonly removed: number;
}

/** `exact`, `ample`, or a share of exact between 0 and 1. */
export type StockMode = "exact" | "ample" | number;

/** Reads `exact`, `ample` or a share such as `0.8`. Throws OPTION_INVALID. */
export function parseStock(text: string): StockMode {
  if (text === "exact" || text === "ample") return text;
  const share = /^\d+(\.\d{1,4})?$/.test(text) ? Number(text) : NaN;
  if (share >= 0 && share <= 1) return share;
  throw new ReplayError("OPTION_INVALID", `--stock "${text}": use exact, ample, or a share from 0 to 1 such as 0.8.`);
}

/**
 * Units of each SKU to begin with.
 *
 * `exact` is everything that ever leaves: what is sold and what adjustments take away. What adjustments add is not counted
 * on. So no order can be refused and no stock can fall below zero in whatever order orders and adjustments reach the shop
 * (they travel on different topics), and at the end exactly what was added is left. Counting on the additions would need
 * less stock, but would hold only for one order of arrival.
 *
 * A share is `floor(share × exact)`, so some orders are refused. `ample` is ten times exact and 1,000 more.
 */
export function initialStock(movements: ReadonlyMap<string, Movement>, mode: StockMode): Map<string, number> {
  const stock = new Map<string, number>();
  for (const [sku, { sold, removed }] of movements) stock.set(sku, initialUnits(sold + removed, mode));
  return stock;
}

function initialUnits(exact: number, mode: StockMode): number {
  if (mode === "exact") return exact;
  if (mode === "ample") return exact * 10 + 1_000;
  // A share has at most four decimals: whole numbers keep 0.8 × 5 at 4, where floats may give 3.999….
  return Math.floor((exact * Math.round(mode * 10_000)) / 10_000);
}

/** Units of each SKU that must be left when every order and every adjustment went through. */
export function stockLeftWhenAllPlayed(
  movements: ReadonlyMap<string, Movement>,
  initial: ReadonlyMap<string, number>,
): Map<string, number> {
  const left = new Map<string, number>();
  for (const [sku, { sold, added, removed }] of movements)
    left.set(sku, (initial.get(sku) ?? 0) + added - removed - sold);
  return left;
}
