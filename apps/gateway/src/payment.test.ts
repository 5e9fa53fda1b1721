import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entriesOf } from "./entries.ts";
import { decide, hasExpired, type Asked, type Payment } from "./payment.ts";

const authorised: Payment = {
  n: 1,
  reference: "order-1",
  token: "tok_approved",
  currency: "EUR",
  state: "authorised",
  authorised: 1_000,
  captured: 0,
  refunded: 0,
  createdAtMs: 0,
  expiresAtMs: 100,
};
const captured: Payment = { ...authorised, state: "captured", captured: 800 };

const ask = (kind: Asked["kind"], amount: number, currency = "EUR"): Asked => ({
  kind,
  amount,
  currency,
});

describe("a decision", () => {
  const cases: readonly [string, Payment, Asked, object][] = [
    ["captures in part", authorised, ask("capture", 800), { change: { state: "captured", captured: 800 } }],
    [
      "captures no more than was authorised",
      authorised,
      ask("capture", 1_001),
      { reason: "amount_exceeds_authorised" },
    ],
    ["captures once", captured, ask("capture", 1), { reason: "already_captured" }],
    [
      "captures nothing that was voided",
      { ...authorised, state: "voided" },
      ask("capture", 1),
      { reason: "already_voided" },
    ],
    [
      "captures nothing that ran out",
      { ...authorised, state: "expired" },
      ask("capture", 1),
      { reason: "authorisation_expired" },
    ],
    ["voids before the capture", authorised, ask("void", 1_000), { change: { state: "voided" } }],
    ["voids nothing after the capture", captured, ask("void", 1_000), { reason: "already_captured" }],
    ["voids once", { ...authorised, state: "voided" }, ask("void", 1_000), { reason: "already_voided" }],
    [
      "lets a void of what ran out pass",
      { ...authorised, state: "expired" },
      ask("void", 1_000),
      { change: { state: "expired" } },
    ],
    ["refunds in parts", { ...captured, refunded: 300 }, ask("refund", 500), { change: { refunded: 800 } }],
    [
      "refunds no more than was captured",
      { ...captured, refunded: 300 },
      ask("refund", 501),
      { reason: "amount_exceeds_captured" },
    ],
    ["refunds nothing before the capture", authorised, ask("refund", 1), { reason: "not_captured" }],
    [
      "does nothing with a declined payment",
      { ...authorised, state: "declined" },
      ask("void", 1),
      { reason: "payment_declined" },
    ],
    ["stays with the payment's currency", authorised, ask("capture", 1, "USD"), { reason: "currency_mismatch" }],
  ];
  test.each(cases)("%s", (_name, payment, asked, expected) => {
    const result = "reason" in expected ? "refused" : "approved";
    expect(decide(payment, asked)).toEqual({ result, ...expected });
  });

  test("an authorisation runs out at its time, a captured payment never", () => {
    expect(hasExpired(authorised, 99)).toBe(false);
    expect(hasExpired(authorised, 100)).toBe(true);
    expect(hasExpired(captured, 100)).toBe(false);
  });
});

test("whatever is asked in whatever order, the amounts keep their bounds and the books balance", () => {
  const asked = fc.record({
    kind: fc.constantFrom("capture", "void", "refund"),
    amount: fc.integer({ min: 1, max: 1_500 }),
    currency: fc.constantFrom("EUR", "EUR", "USD"),
  });
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 20 }), (asks) => {
      const balance = { cardholders: -1_000, holds: 1_000, merchant: 0 };
      let payment = authorised;
      for (const each of asks as Asked[]) {
        const decision = decide(payment, each);
        if (decision.result === "refused") continue;
        for (const { account, amount } of entriesOf(each.kind, each.amount, payment)) balance[account] += amount;
        payment = { ...payment, ...decision.change };
        expect(payment.captured).toBeLessThanOrEqual(payment.authorised);
        expect(payment.refunded).toBeLessThanOrEqual(payment.captured);
        expect(balance.holds).toBe(payment.state === "authorised" ? 1_000 : 0);
        expect(balance.merchant).toBe(payment.captured - payment.refunded);
        expect(balance.cardholders).toBe(0 - balance.holds - balance.merchant);
      }
    }),
  );
});
