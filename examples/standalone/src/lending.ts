import { service, state, timer, when, whenDue } from "@waybill/messaging";
import { bookBorrow, bookReturn, loanBegun, loanEnded, loanOverdue, loanRefused } from "./contracts.ts";

/** Who has a book, and until when. */
export interface Loan {
  readonly readerId: string;
  readonly dueMs: number;
}

/** By the book's id. */
export const loan = state<Loan>("loan");
/** When a book should be back. */
export const due = timer("due");

const dayMs = 86_400_000;
export const termMs = 21 * dayMs;

/** The days, begun ones counted whole, that a book comes back late. */
export function daysLate(dueMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((nowMs - dueMs) / dayMs));
}

/** Lends each book to one reader at a time, and says when it should be back and is not. */
export const lending = service("lending", {
  on: [
    when(
      bookBorrow,
      (m) => [loan(m.bookId)],
      ({ bookId, readerId }, [held], out) => {
        // The same wish twice is one loan.
        if (held.value?.readerId === readerId) return;
        if (held.value !== undefined) {
          out.send(loanRefused, { bookId, readerId, reason: "It is lent to somebody else." });
          return;
        }
        const dueMs = out.nowMs + termMs;
        out.save(held, { readerId, dueMs });
        out.at(due, dueMs);
        out.send(loanBegun, { bookId, readerId, dueMs });
      },
    ),
    when(
      bookReturn,
      (m) => [loan(m.bookId)],
      ({ bookId }, [held], out) => {
        if (held.value === undefined) return;
        const { readerId, dueMs } = held.value;
        out.remove(held);
        out.clear(due);
        out.send(loanEnded, { bookId, readerId, daysLate: daysLate(dueMs, out.nowMs) });
      },
    ),
    whenDue(
      due,
      (fired) => [loan(fired.key)],
      ({ key: bookId }, [held], out) => {
        if (held.value !== undefined) out.send(loanOverdue, { bookId, readerId: held.value.readerId });
      },
    ),
  ],
  sends: [loanBegun, loanRefused, loanOverdue, loanEnded],
});
