import type { Payment } from "./payment.ts";
import type { Operation } from "./rows.ts";

/** Turns rows into what the API shows, and the API's ids back into rows' numbers. */
export interface Views {
  operation(operation: Operation): Record<string, unknown>;
  payment(payment: Payment): Record<string, unknown>;
  /** The payment's number, or undefined when the id is not one of this ledger's. */
  paymentNumber(id: string): number | undefined;
}

/** Views of a ledger. Its id stands in every id, so another ledger's payment is unknown here instead of somebody else's. */
export function viewsOf(ledgerId: string): Views {
  const prefix = `pay_${ledgerId}_`;
  return {
    operation: ({ n, key, payment, kind, amount, currency, result, reason, atMs }) => ({
      id: `op_${ledgerId}_${n}`,
      key,
      paymentId: prefix + payment,
      kind,
      amount,
      currency,
      result,
      reason: reason ?? undefined,
      at: new Date(atMs).toISOString(),
    }),
    payment: ({ n, createdAtMs, expiresAtMs, ...facts }) => ({
      id: prefix + n,
      ...facts,
      createdAt: new Date(createdAtMs).toISOString(),
      expiresAt: new Date(expiresAtMs).toISOString(),
    }),
    paymentNumber: (id) => {
      const digits = id.startsWith(prefix) ? id.slice(prefix.length) : "";
      return /^[1-9][0-9]{0,14}$/.test(digits) ? Number(digits) : undefined;
    },
  };
}
