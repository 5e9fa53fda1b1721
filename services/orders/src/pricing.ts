import { amountMax, lineAmount, type LineProblem, type OrderImport, type OrderPlace } from "@waybill/contracts";
import type { PricedLine, Product } from "./order.ts";

/** Lines with their prices and what they add up to, or what is wrong with them. */
export type Priced =
  | { readonly kind: "priced"; readonly lines: readonly PricedLine[]; readonly total: number }
  | { readonly kind: "too-large" }
  | { readonly kind: "refused"; readonly problems: readonly LineProblem[] };

/** Prices an order from the shop's own products; each line that cannot be sold is named with its reason. */
export function pricedByCatalogue(m: OrderPlace, productOf: (sku: string) => Product | undefined): Priced {
  const problems: LineProblem[] = [];
  const lines: PricedLine[] = [];
  for (const [line, { sku, quantity }] of m.lines.entries()) {
    const product = productOf(sku);
    const problem = problemOf(product, m);
    if (problem !== undefined) problems.push({ line, sku, problem });
    else lines.push(priced(sku, quantity, product!.price, m));
  }
  return problems.length > 0 ? { kind: "refused", problems } : summed(lines);
}

/** Prices an order by its own word; only for orders from the trusted import. */
export function pricedByItself(m: OrderImport): Priced {
  return summed(m.lines.map(({ sku, quantity, unitPrice }) => priced(sku, quantity, unitPrice, m)));
}

function problemOf(product: Product | undefined, m: OrderPlace): LineProblem["problem"] | undefined {
  if (product === undefined) return "unknown-sku";
  if (!product.active) return "inactive-sku";
  return product.currency === m.currency ? undefined : "wrong-currency";
}

function priced(sku: string, quantity: number, unitPrice: string, { currency }: OrderPlace | OrderImport): PricedLine {
  return { sku, quantity, unitPrice, amount: lineAmount(unitPrice, quantity, currency) };
}

function summed(lines: readonly PricedLine[]): Priced {
  let total = 0;
  for (const { amount } of lines) total += amount;
  return total > amountMax ? { kind: "too-large" } : { kind: "priced", lines, total };
}
