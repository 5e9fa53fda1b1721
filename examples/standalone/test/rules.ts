import { specification } from "@waybill/messaging/specification";
import assert from "node:assert/strict";
import { test } from "node:test";
import { bookBorrow, bookReturn, loanEnded } from "../src/contracts.ts";
import { account, fees } from "../src/fees.ts";
import { daysLate, due, lending, loan, termMs } from "../src/lending.ts";

void test("given a book that is lent, when somebody else wants it, then that is refused", () => {
  const spec = specification(lending, { nowMs: 1_000 });
  const begun = spec.when(bookBorrow, { bookId: "b-1", readerId: "ann" });
  assert.deepEqual(begun.sent, [
    { type: "loan.begun", body: { bookId: "b-1", readerId: "ann", dueMs: 1_000 + termMs } },
  ]);
  assert.deepEqual(spec.when(bookBorrow, { bookId: "b-1", readerId: "ann" }).sent, []);
  const [refused] = spec.when(bookBorrow, { bookId: "b-1", readerId: "bob" }).sent;
  assert.equal(refused?.type, "loan.refused");
  assert.equal(spec.state(loan("b-1"))?.readerId, "ann");
});

void test("given a book that is lent, when it is due, then that is said; when it is back, it is free", () => {
  const spec = specification(lending);
  spec.when(bookBorrow, { bookId: "b-1", readerId: "ann" });
  assert.deepEqual(spec.due(due, "b-1").sent, [{ type: "loan.overdue", body: { bookId: "b-1", readerId: "ann" } }]);
  assert.equal(spec.when(bookReturn, { bookId: "b-1" }).sent[0]?.type, "loan.ended");
  assert.equal(spec.state(loan("b-1")), undefined);
  assert.deepEqual(spec.when(bookReturn, { bookId: "b-1" }).sent, []);
});

void test("a day that is begun counts whole", () => {
  assert.equal(daysLate(1_000, 1_000), 0);
  assert.equal(daysLate(1_000, 1_001), 1);
  assert.equal(daysLate(1_000, 1_000 + 86_400_000), 1);
});

void test("given books that come back late, then their fees add up", () => {
  const spec = specification(fees);
  spec.when(loanEnded, { bookId: "b-1", readerId: "ann", daysLate: 2 });
  spec.when(loanEnded, { bookId: "b-2", readerId: "ann", daysLate: 0 });
  const { sent } = spec.when(loanEnded, { bookId: "b-3", readerId: "ann", daysLate: 1 });
  assert.deepEqual(sent, [
    { type: "fee.charged", body: { readerId: "ann", bookId: "b-3", feePence: 20, owedPence: 60 } },
  ]);
  assert.deepEqual(spec.state(account("ann")), { owedPence: 60 });
});
