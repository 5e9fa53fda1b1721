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

/** What each kind of operation moves: `amount` is the operation's, `held` what the payment holds before it. */
const postings: Readonly<Record<LedgerKind, (amount: number, held: number) => readonly Entry[]>> = {
  authorise: (amount) => [
    { account: "holds", amount },
    { account: "cardholders", amount: -amount },
  ],
  // What was held beyond the captured amount goes back to the cardholder at once: there is only one capture.
  capture: (amount, held) => [
    { account: "merchant", amount },
    { account: "cardholders", amount: held - amount },
    { account: "holds", amount: -held },
  ],
  void: (_amount, held) => letGo(held),
  expire: (_amount, held) => letGo(held),
  refund: (amount) => [
    { account: "cardholders", amount },
    { account: "merchant", amount: -amount },
  ],
};

function letGo(held: number): readonly Entry[] {
  return [
    { account: "cardholders", amount: held },
    { account: "holds", amount: -held },
  ];
}

/** The debits and credits of an approved operation. `payment` is as it was before it. Throws if they do not balance. */
export function entriesOf(kind: LedgerKind, amount: number, payment: Payment): readonly Entry[] {
  const held = payment.state === "authorised" ? payment.authorised : 0;
  const posting = postings[kind](amount, held).filter((entry) => entry.amount !== 0);
  const sum = posting.reduce((total, entry) => total + entry.amount, 0);
  if (sum !== 0) {
    throw new Error(`The entries of ${kind} on payment ${payment.n} do not balance: they differ by ${sum}.`);
  }
  return posting;
}
