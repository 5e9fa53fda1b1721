/**
 * What a payment is and what may be done to it: pure decisions, no storage and no clock.
 * All amounts are integer minor units of the payment's currency.
 */
export const operationKinds = ["authorise", "capture", "void", "refund"] as const;
export type OperationKind = (typeof operationKinds)[number];

/** `expire` is the gateway's own: nobody asks for it. */
export type LedgerKind = OperationKind | "expire";

export type PaymentState = "authorised" | "declined" | "captured" | "voided" | "expired";

export interface Payment {
  /** Counts from 1 in each ledger. */
  readonly n: number;
  /** The merchant's name for it. */
  readonly reference: string;
  readonly token: string;
  readonly currency: string;
  readonly state: PaymentState;
  /** What was asked for; held only while the state is `authorised`. */
  readonly authorised: number;
  readonly captured: number;
  readonly refunded: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** The part of a payment that an operation changes. */
export type PaymentChange = Partial<Pick<Payment, "state" | "captured" | "refunded">>;

/** A movement's name, which `entries` turns into debits and credits. */
export type Decision =
  | { readonly result: "approved"; readonly change: PaymentChange }
  | { readonly result: "refused"; readonly reason: string };

export interface Asked {
  readonly kind: Exclude<OperationKind, "authorise">;
  readonly amount: number;
  readonly currency: string;
}

const approved = (change: PaymentChange): Decision => ({ result: "approved", change });
const refused = (reason: string): Decision => ({ result: "refused", reason });

/** Whether an authorisation has run out: it holds money and its time has passed. */
export function hasExpired(payment: Payment, nowMs: number): boolean {
  return payment.state === "authorised" && payment.expiresAtMs <= nowMs;
}

/** Decides a capture, void or refund by the payment's state alone. */
export function decide(payment: Payment, asked: Asked): Decision {
  if (payment.state === "declined") return refused("payment_declined");
  if (asked.currency !== payment.currency) return refused("currency_mismatch");
  if (asked.kind === "capture") return decideCapture(payment, asked.amount);
  return asked.kind === "void" ? decideVoid(payment) : decideRefund(payment, asked.amount);
}

function decideCapture(payment: Payment, amount: number): Decision {
  if (payment.state === "captured") return refused("already_captured");
  if (payment.state === "voided") return refused("already_voided");
  if (payment.state === "expired") return refused("authorisation_expired");
  if (amount > payment.authorised) return refused("amount_exceeds_authorised");
  return approved({ state: "captured", captured: amount });
}

/** Voiding an expired authorisation is approved: what it asks for, that nothing is held, is so. */
function decideVoid(payment: Payment): Decision {
  if (payment.state === "captured") return refused("already_captured");
  if (payment.state === "voided") return refused("already_voided");
  return approved({ state: payment.state === "expired" ? "expired" : "voided" });
}

function decideRefund(payment: Payment, amount: number): Decision {
  if (payment.state !== "captured") return refused("not_captured");
  if (payment.refunded + amount > payment.captured) return refused("amount_exceeds_captured");
  return approved({ refunded: payment.refunded + amount });
}
