import { exactPrice } from "./amount.ts";
import type { InvoiceLine } from "./lines.ts";

export interface Product {
  readonly sku: string;
  readonly title: string;
  /** The decimal text of the file, at most four decimals, in major units. */
  readonly price: string;
  readonly currency: "GBP";
}

interface Catalogue {
  /** Takes one sale line. */
  take(line: InvoiceLine): void;
  /** Every SKU that was sold, sorted by SKU. */
  products(): Product[];
}

type Counts = Map<string, number>;

/**
 * Products from what was sold: a SKU's title is its most frequent description and its price its most frequent price, both
 * counted by sale lines. Ties go to the title that sorts first and to the lowest price, so the same file gives the same
 * catalogue. A SKU that was only ever adjusted has no price and is no product.
 */
export function createCatalogue(): Catalogue {
  const seen = new Map<string, { titles: Counts; prices: Counts }>();
  return {
    take({ sku, description, unitPrice }) {
      let counts = seen.get(sku);
      if (counts === undefined) seen.set(sku, (counts = { titles: new Map(), prices: new Map() }));
      if (description !== "") add(counts.titles, description);
      add(counts.prices, unitPrice);
    },
    products() {
      return [...seen]
        .map(([sku, { titles, prices }]) => ({
          sku,
          title: title(sku, titles),
          price: price(prices),
          currency: "GBP" as const,
        }))
        .sort((a, b) => order(a.sku, b.sku));
    },
  };
}

function add(counts: Counts, value: string): void {
  counts.set(value, (counts.get(value) ?? 0) + 1);
}

function title(sku: string, titles: Counts): string {
  return mostFrequent(titles, order) ?? sku;
}

function price(prices: Counts): string {
  return mostFrequent(prices, (a, b) => Number(exactPrice(a) - exactPrice(b))) ?? "0";
}

function mostFrequent(counts: Counts, tie: (a: string, b: string) => number): string | undefined {
  let best: [string, number] | undefined;
  for (const entry of counts) {
    if (best === undefined || entry[1] > best[1] || (entry[1] === best[1] && tie(entry[0], best[0]) < 0)) best = entry;
  }
  return best?.[0];
}

/** By code unit, the same in every locale. */
export function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
