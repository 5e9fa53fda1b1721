import type { InvoiceLine } from "./lines.ts";

/** Why a line is not played. */
export const notPlayedReasons = {
  cancellation: "returns and cancelled invoices (number begins with C); returns are not played yet",
  badDebt: "book-keeping of bad debts (number begins with A); no goods, no order",
  negativePrice: "a sale below nothing is no sale",
  zeroQuantity: "nothing was sold",
  unknownInvoice: "the invoice's number is neither six digits nor C… nor A…",
} as const;

export type NotPlayedReason = keyof typeof notPlayedReasons;
export type LineKind = "sale" | "adjustment" | NotPlayedReason;

/**
 * What a line is. `sale`: six digits, quantity and price above zero. `adjustment`: six digits and either a negative
 * quantity (written off, lost) or the price zero (samples, finds, corrections): it moves stock by its signed quantity and
 * is never a sale. Everything else is not played.
 */
export function kindOf(line: InvoiceLine): LineKind {
  const { invoice, quantity, unitPrice } = line;
  if (invoice.startsWith("C")) return "cancellation";
  if (invoice.startsWith("A")) return "badDebt";
  if (!/^\d{6}$/.test(invoice)) return "unknownInvoice";
  if (quantity === 0) return "zeroQuantity";
  if (quantity < 0 || isZero(unitPrice)) return "adjustment";
  return unitPrice.startsWith("-") ? "negativePrice" : "sale";
}

function isZero(price: string): boolean {
  return !/[1-9]/.test(price);
}
