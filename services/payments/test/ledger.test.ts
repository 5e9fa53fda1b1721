import {
  orderCancelled,
  orderReserved,
  paymentResolve,
  shipmentDispatched,
  type PaymentOperation,
  type PaymentResolve,
} from "@waybill/contracts";
import type { Outcome } from "@waybill/messaging";
import { specification } from "@waybill/messaging/specification";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  authorise,
  capture,
  payment,
  payments,
  refund,
  sums,
  transitions,
  voidPayment,
  type LedgerEntry,
  type Receipt,
} from "../src/index.ts";
import { booked } from "../src/ledger.ts";

const entry = (kind: LedgerEntry["kind"], minor: number): LedgerEntry => ({
  kind,
  minor,
  paymentId: "p",
  operationId: "op",
  atMs: 0,
});

describe("the ledger itself", () => {
  test("refuses to take more than was authorised", () => {
    const held = booked([], entry("authorised", 100));
    expect(() => booked(held, entry("captured", 101))).toThrow("more than the 100 authorised");
    const taken = booked(held, entry("captured", 100));
    expect(() => booked(taken, entry("captured", 1))).toThrow("more than the 100 authorised");
    expect(() => booked(taken, entry("voided", 100))).toThrow("more than the 100 authorised");
  });

  test("refuses to take what has expired", () => {
    const lapsed = booked(booked([], entry("authorised", 100)), entry("expired", 100));
    expect(() => booked(lapsed, entry("captured", 100))).toThrow("more than the 100 authorised");
  });

  test("refuses to give back more than was taken", () => {
    const taken = booked(booked([], entry("authorised", 100)), entry("captured", 60));
    expect(() => booked(taken, entry("refunded", 61))).toThrow("more than the 60 captured");
  });
});

const operation = fc.constantFrom<PaymentOperation>("authorise", "capture", "void", "refund");
const outcome: fc.Arbitrary<Outcome<Receipt>> = fc.oneof(
  fc.nat(99).map((n) => ({ kind: "done" as const, value: { paymentId: `pay-${n % 3}`, operationId: `op-${n}` } })),
  fc.constantFrom("card_declined", "authorisation_expired").map((reason) => ({ kind: "refused" as const, reason })),
  fc.constant({ kind: "unknown" as const, reason: "?" }),
);
const step = fc.oneof(
  fc.record({ does: fc.constantFrom("reserve" as const, "dispatch" as const, "cancel" as const) }),
  {
    arbitrary: fc.record({ does: fc.constantFrom("settle" as const, "resolve" as const), operation, outcome }),
    weight: 4,
  },
);

const effects = { authorise, capture, void: voidPayment, refund };
const customer = { id: "c", email: "c@example.org" };

const request = { reference: "o-1", amount: { minor: 500, currency: "GBP" }, token: "t", paymentId: "pay-0" };

/** A person cannot say that he does not know. */
function wordOf(outcome: Outcome<Receipt>): PaymentResolve["outcome"] {
  if (outcome.kind === "done") return { kind: "done", ...outcome.value };
  return { kind: "refused", reason: outcome.reason };
}

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function take(shop: ReturnType<typeof specification>, next: Step) {
  const orderId = "o-1";
  if (next.does === "settle") return shop.settled(effects[next.operation] as typeof capture, request, next.outcome);
  if (next.does === "resolve") {
    return shop.when(paymentResolve, { orderId, operation: next.operation, outcome: wordOf(next.outcome) });
  }
  if (next.does === "reserve") return shop.when(orderReserved, { orderId, amount: 500, currency: "GBP", token: "t" });
  if (next.does === "dispatch") return shop.when(shipmentDispatched, { orderId });
  return shop.when(orderCancelled, { orderId, customer, reason: "requested", detail: "No." });
}

/** How many calls to the gateway a step made, or why it failed. */
function attempted(...step: Parameters<typeof take>): { calls: number; failure?: unknown } {
  try {
    return { calls: take(...step).effects.length };
  } catch (failure) {
    return { calls: 0, failure };
  }
}

test("any sequence keeps captured ≤ authorised and refunded ≤ captured, ends stay ends, and one call at most is open", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
      const shop = specification(payments());
      take(shop, { does: "reserve" });
      for (const next of steps) {
        const before = shop.state(payment("o-1"))!;
        const { calls, failure } = attempted(shop, next);
        expect(calls).toBeLessThanOrEqual(1);
        const isTooEarly = next.does === "dispatch" && before.pending === "authorise";
        // No call is under way while a person is asked: an answer to none is refused by the books, and parked.
        const isUnasked = next.does === "settle" && before.status === "attention";
        expect(failure === undefined || isTooEarly || isUnasked).toBe(true);
        const after = shop.state(payment("o-1"))!;
        const { authorised, captured, released, refunded } = sums(after.ledger);
        expect(captured + released).toBeLessThanOrEqual(authorised);
        expect(refunded).toBeLessThanOrEqual(captured);
        expect(captured).toBeLessThanOrEqual(500);
        expect(transitions[before.status].length > 0 || after.status === before.status).toBe(true);
        expect(after.ledger.slice(0, before.ledger.length)).toEqual(before.ledger);
      }
    }),
  );
});

test("every status is reached by another, and none is left that the table does not name", () => {
  const named = new Set(Object.keys(transitions));
  const reached = new Set(Object.values(transitions).flat());
  expect([...reached, "authorising"].every((status) => named.has(status))).toBe(true);
  expect([...named].filter((status) => !reached.has(status as "voided"))).toEqual([]);
});
