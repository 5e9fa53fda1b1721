import {
  assertTransition,
  paymentAuthorised,
  paymentCaptured,
  paymentCaptureRefused,
  paymentDeclined,
  paymentRefunded,
  paymentRefundRefused,
  paymentUncertain,
  paymentVoided,
  paymentVoidRefused,
  reasonText,
  say,
  type Currency,
  type OrderReserved,
  type PaymentOperation,
  type PaymentResolve,
  type Said,
} from "@waybill/contracts";
import type { Outcome } from "@waybill/messaging";
import type { Receipt } from "./gateway.ts";
import { booked, sums, type LedgerEntry } from "./ledger.ts";

export type PaymentStatus = keyof typeof transitions;

/**
 * From each status the ones that may follow. A payment begins authorising. `attention`: the operation in `pending` may
 * have happened or was refused where it must not be, and a person says what became of it.
 */
export const transitions = {
  authorising: ["authorised", "declined", "capturing", "voiding", "attention"],
  authorised: ["capturing", "voiding"],
  capturing: ["captured", "authorising", "attention"],
  captured: ["refunding"],
  voiding: ["voided", "attention"],
  refunding: ["refunded", "attention"],
  attention: ["authorising", "authorised", "declined", "capturing", "captured", "voiding", "voided", "refunded"],
  declined: [],
  voided: [],
  refunded: [],
} as const;

/** The money of one order. */
export interface Payment {
  readonly orderId: string;
  readonly status: PaymentStatus;
  /** Minor units. */
  readonly amount: number;
  readonly currency: Currency;
  readonly token: string;
  /** The gateway's, once it has authorised. */
  readonly paymentId?: string;
  /** What is asked of the gateway and not answered, or not answered for good. */
  readonly pending?: PaymentOperation | undefined;
  /** The order is cancelled: whatever money arrives is given back. */
  readonly giveBack?: true;
  /** An authorisation that had expired was asked for anew, which is done once. */
  readonly renewed?: true;
  readonly ledger: readonly LedgerEntry[];
}

/** The payment as it shall be, what to say, and what to ask of the gateway. */
export interface Decision {
  readonly payment: Payment;
  readonly say: readonly Said[];
  readonly ask?: PaymentOperation;
}

const expired = "authorisation_expired";

/** Opens the payment of a reserved order. An order that costs nothing needs no gateway. */
export function opened(m: OrderReserved, atMs: number): Decision {
  const { orderId, amount, currency, token } = m;
  const payment: Payment = { orderId, status: "authorising", amount, currency, token, ledger: [] };
  return asked(payment, "authorising", "authorise", atMs);
}

/** Whether the gateway has been asked for the money, and neither it nor a person has told what came of that. */
export function isOutstanding(payment: Payment | undefined): boolean {
  return payment?.pending === "authorise" && payment.renewed !== true;
}

/** The goods have left: takes the money. Undefined when there is nothing to do. */
export function dispatched(payment: Payment, atMs: number): Decision | undefined {
  switch (payment.status) {
    case "authorised":
      return asked(payment, "capturing", "capture", atMs);
    case "declined":
    case "voiding":
    case "voided":
      return {
        payment,
        say: [
          say(paymentCaptureRefused, {
            orderId: payment.orderId,
            reason: `It is ${payment.status}.`,
          }),
        ],
      };
    default:
      return undefined;
  }
}

/** The order is cancelled: gives back what is held or taken, now or as soon as its fate is known. */
export function cancelled(payment: Payment, atMs: number): Decision | undefined {
  if (payment.giveBack === true) return undefined;
  const marked: Payment = { ...payment, giveBack: true };
  if (payment.status === "authorised") return asked(marked, "voiding", "void", atMs);
  if (payment.status === "captured") return asked(marked, "refunding", "refund", atMs);
  return { payment: marked, say: [] };
}

/** What the gateway, or a person who has asked it, says of an operation. Undefined when it is not the pending one. */
export function settled(
  payment: Payment,
  operation: PaymentOperation,
  outcome: Outcome<Receipt>,
  atMs: number,
): Decision | undefined {
  if (payment.pending !== operation) return undefined;
  if (outcome.kind === "done") return succeeded[operation](payment, outcome.value, atMs);
  const reason = reasonText(outcome.reason);
  if (outcome.kind === "refused") return refused[operation](payment, reason, atMs);
  return stuck(payment, say(paymentUncertain, { orderId: payment.orderId, operation, reason }));
}

/**
 * A person's word counts only where one is needed: everything else is settled by the gateway itself. Money that was got
 * by hand after the authorisation had lapsed is one that the person has authorised.
 */
export function resolved(payment: Payment, m: PaymentResolve, atMs: number): Decision | undefined {
  if (payment.status !== "attention" || payment.pending !== m.operation) return undefined;
  if (m.outcome.kind === "refused") return settled(payment, m.operation, m.outcome, atMs);
  const byHand = m.operation === "capture" && !holds(payment);
  const known = byHand ? withEntry(payment, "authorised", m.outcome, atMs) : payment;
  return settled(known, m.operation, { kind: "done", value: m.outcome }, atMs);
}

function holds({ ledger, amount }: Payment): boolean {
  const { authorised, released } = sums(ledger);
  return authorised - released >= amount;
}

/** What a done operation leads to. */
const succeeded: Readonly<Record<PaymentOperation, (payment: Payment, receipt: Receipt, atMs: number) => Decision>> = {
  authorise: (payment, receipt, atMs) => authorised(withReceipt(payment, "authorised", receipt, atMs), atMs),
  capture: (payment, receipt, atMs) => captured(withReceipt(payment, "captured", receipt, atMs), atMs),
  void: (payment, receipt, atMs) => ended(withReceipt(payment, "voided", receipt, atMs), "voided", paymentVoided),
  refund: (payment, receipt, atMs) =>
    ended(withReceipt(payment, "refunded", receipt, atMs), "refunded", paymentRefunded),
};

function withReceipt(payment: Payment, kind: LedgerEntry["kind"], receipt: Receipt, atMs: number): Payment {
  return { ...withEntry(payment, kind, receipt, atMs), paymentId: receipt.paymentId, pending: undefined };
}

function withEntry(payment: Payment, kind: LedgerEntry["kind"], receipt: Receipt, atMs: number): Payment {
  const { paymentId, operationId } = receipt;
  return { ...payment, ledger: booked(payment.ledger, { kind, minor: payment.amount, paymentId, operationId, atMs }) };
}

function authorised(payment: Payment, atMs: number): Decision {
  if (payment.giveBack === true) return asked(payment, "voiding", "void", atMs);
  if (payment.renewed === true) return asked(payment, "capturing", "capture", atMs);
  return ended(payment, "authorised", paymentAuthorised);
}

function captured(payment: Payment, atMs: number): Decision {
  const taken = ended(payment, "captured", paymentCaptured);
  if (payment.giveBack !== true) return taken;
  const back = asked(taken.payment, "refunding", "refund", atMs);
  return { ...back, say: [...taken.say, ...back.say] };
}

function ended(payment: Payment, status: PaymentStatus, event: typeof paymentAuthorised): Decision {
  const { orderId, amount, currency, paymentId = "" } = payment;
  return {
    payment: moved(payment, status),
    say: [say(event, { orderId, amount, currency, paymentId })],
  };
}

/** What a refused operation leads to. */
const refused: Readonly<Record<PaymentOperation, (payment: Payment, reason: string, atMs: number) => Decision>> = {
  authorise: (payment, reason) => {
    const body = { orderId: payment.orderId, reason };
    // With the goods gone, a refused renewal is a refused capture.
    if (payment.renewed === true) return stuck({ ...payment, pending: "capture" }, say(paymentCaptureRefused, body));
    return { payment: { ...moved(payment, "declined"), pending: undefined }, say: [say(paymentDeclined, body)] };
  },
  capture: (payment, reason, atMs) => {
    if (reason === expired && payment.renewed !== true) return renewed(payment, atMs);
    return stuck(payment, say(paymentCaptureRefused, { orderId: payment.orderId, reason }));
  },
  void: (payment, reason, atMs) => {
    // What has expired is held no longer, and that is all that a void is for.
    if (reason === expired) return ended({ ...lapsed(payment, atMs), pending: undefined }, "voided", paymentVoided);
    return stuck(payment, say(paymentVoidRefused, { orderId: payment.orderId, reason }));
  },
  refund: (payment, reason) => stuck(payment, say(paymentRefundRefused, { orderId: payment.orderId, reason })),
};

/** Asks once more for an authorisation that expired before the goods left. */
function renewed(payment: Payment, atMs: number): Decision {
  return asked({ ...lapsed(payment, atMs), renewed: true }, "authorising", "authorise", atMs);
}

function lapsed(payment: Payment, atMs: number): Payment {
  return withEntry(payment, "expired", { paymentId: payment.paymentId ?? "", operationId: "" }, atMs);
}

function stuck(payment: Payment, said: Said): Decision {
  return { payment: moved(payment, "attention"), say: [said] };
}

function moved(payment: Payment, to: PaymentStatus): Payment {
  assertTransition(transitions, payment.status, to);
  return { ...payment, status: to };
}

/** For orders that cost nothing: what the gateway would have answered. */
const free: Receipt = { paymentId: "free", operationId: "free" };

function asked(from: Payment, status: PaymentStatus, operation: PaymentOperation, atMs: number): Decision {
  const payment: Payment = { ...moved(from, status), pending: operation };
  if (payment.amount === 0) return succeeded[operation](payment, free, atMs);
  return { payment, say: [], ask: operation };
}
