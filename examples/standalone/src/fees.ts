import { service, state, when } from "@waybill/messaging";
import { feeCharged, loanEnded } from "./contracts.ts";

/** What a reader owes. */
export interface Account {
  readonly owedPence: number;
}

/** By the reader's id. */
export const account = state<Account>("account");

const penceADay = 20;

/** Charges readers for the days that they were late. */
export const fees = service("fees", {
  // Loans come by book, and accounts are of readers: one lane owns all accounts.
  lanesMax: 1,
  on: [
    when(
      loanEnded,
      (m) => [account(m.readerId)],
      ({ bookId, readerId, daysLate }, [held], out) => {
        if (daysLate === 0) return;
        const feePence = daysLate * penceADay;
        const owedPence = (held.value?.owedPence ?? 0) + feePence;
        out.save(held, { owedPence });
        out.send(feeCharged, { readerId, bookId, feePence, owedPence });
      },
    ),
  ],
  sends: [feeCharged],
});
