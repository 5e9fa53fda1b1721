import type { LedgerKind, Payment } from "./payment.ts";

/**
 * The accounts of the double-entry ledger. `cardholders`: what customers gave (credit) and got back (debit); `holds`:
 * money set aside for a merchant (debit) and let go (credit); `merchant`: money captured (debit) and refunded (credit).
 */
export const accounts = ["cardholders", "holds", "merchant"] as const;
export type Account = (typeof accounts)[number];

/** One line of a posting: a debit is positive, a credit negative, in minor units. */
export interface Entry {
  readonly account: Account;
  readonly amount: number;
}

/** The debits and credits of an approved operation. `payment` is as it was before it. */
export function entriesOf(kind: LedgerKind, amount: number, payment: Payment): readonly Entry[] {
  const posting = lines(kind, amount, payment).filter((entry) => entry.amount !== 0);
  const sum = posting.reduce((total, entry) => total + entry.amount, 0);
  if (sum !== 0) {
    throw new Error(`The entries of ${kind} on payment ${payment.n} do not balance: they differ by ${sum}.`);
  }
  return posting;
}

function lines(kind: LedgerKind, amount: number, payment: Payment): readonly Entry[] {
  const held = payment.state === "authorised" ? payment.authorised : 0;
  switch (kind) {
    case "authorise":
      return [
        { account: "holds", amount },
        { account: "cardholders", amount: -amount },
      ];
    case "capture":
      // What was held beyond the captured amount goes back to the cardholder at once: there is only one capture.
      return [
        { account: "merchant", amount },
        { account: "cardholders", amount: held - amount },
        { account: "holds", amount: -held },
      ];
    case "void":
    case "expire":
      return [
        { account: "cardholders", amount: held },
        { account: "holds", amount: -held },
      ];
    case "refund":
      return [
        { account: "cardholders", amount },
        { account: "merchant", amount: -amount },
      ];
  }
}
