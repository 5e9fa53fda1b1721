// What readers ask for, and what the library says. Order holds for each book, and for each reader's account.
import { command, event, topic } from "@waybill/messaging";
import { type } from "arktype";

/** Anybody may write to a door; on the other topics only one service speaks. */
const desk = topic("desk", { door: true });
const loans = topic("loans", { writers: ["lending"] });
const accounts = topic("accounts", { writers: ["fees"] });

const id = type("1 <= string <= 100");
const pence = type("number.integer >= 0");
const ofBook = (m: { readonly bookId: string }) => m.bookId;
const ofReader = (m: { readonly readerId: string }) => m.readerId;
const sample = { bookId: "b-1", readerId: "ann" };

export const bookBorrow = command("book.borrow", {
  topic: desk,
  schema: type({ "+": "reject", bookId: id, readerId: id }),
  subject: ofBook,
  samples: [sample],
});

export const bookReturn = command("book.return", {
  topic: desk,
  schema: type({ "+": "reject", bookId: id }),
  subject: ofBook,
  samples: [{ bookId: "b-1" }],
});

export const loanBegun = event("loan.begun", {
  topic: loans,
  schema: type({ bookId: id, readerId: id, dueMs: "number.integer" }),
  subject: ofBook,
  samples: [{ ...sample, dueMs: 0 }],
});

export const loanRefused = event("loan.refused", {
  topic: loans,
  schema: type({ bookId: id, readerId: id, reason: "string" }),
  subject: ofBook,
  samples: [{ ...sample, reason: "It is lent to somebody else." }],
});

export const loanOverdue = event("loan.overdue", {
  topic: loans,
  schema: type({ bookId: id, readerId: id }),
  subject: ofBook,
  samples: [sample],
});

export const loanEnded = event("loan.ended", {
  topic: loans,
  schema: type({ bookId: id, readerId: id, daysLate: "number.integer >= 0" }),
  subject: ofBook,
  samples: [{ ...sample, daysLate: 0 }],
});

export const feeCharged = event("fee.charged", {
  topic: accounts,
  schema: type({ readerId: id, bookId: id, feePence: pence, owedPence: pence }),
  subject: ofReader,
  samples: [{ ...sample, feePence: 40, owedPence: 40 }],
});

/** Every message of the library. */
export const messages = [bookBorrow, bookReturn, loanBegun, loanRefused, loanOverdue, loanEnded, feeCharged];
