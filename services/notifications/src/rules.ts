import {
  amountText,
  type OrderCancelled,
  type OrderConfirmed,
  type OrderRefunded,
  type OrderShipped,
} from "@waybill/contracts";
import type { Frozen, Outcome } from "@waybill/messaging";
import type { Mail, MailKind } from "./mail.ts";

/** Which letters of an order were written, and which of them did not go out, with the reason. */
export interface Mails {
  readonly written: readonly MailKind[];
  readonly failed: Readonly<Partial<Record<MailKind, string>>>;
}

const none: Mails = { written: [], failed: {} };

/** Notes a letter; undefined when one of this kind was written before. */
export function written(mails: Mails | undefined, kind: MailKind): Mails | undefined {
  const { written: before, failed } = mails ?? none;
  return before.includes(kind) ? undefined : { written: [...before, kind], failed };
}

/** What came of a letter that did not go out, or may not have. */
export type Failure = Exclude<Outcome<null>, { readonly kind: "done" }>;

/** Notes that a letter did not go out. */
export function notDelivered(mails: Mails | undefined, kind: MailKind, failure: Failure): Mails {
  const known = mails ?? none;
  return { ...known, failed: { ...known.failed, [kind]: `${failure.kind}: ${failure.reason}` } };
}

/** Notes that a letter goes out again: nothing is known of it yet. */
export function notFailed(mails: Frozen<Mails>, kind: MailKind): Mails {
  const { [kind]: _, ...failed } = mails.failed;
  return { ...mails, failed };
}

/**
 * A letter that did not go out, and that nobody tries again by himself: its address or its text was refused for good, or nobody
 * took it for so long that it is old news.
 */
export interface Undelivered {
  readonly orderId: string;
  readonly kind: MailKind;
  readonly to: string;
  readonly subject: string;
  /** Not there when an earlier build has kept it. */
  readonly text?: string;
  /** `unknown`: it was given up, and may have gone out. */
  readonly outcome: "refused" | "unknown";
  readonly reason: string;
  readonly atMs: number;
}

/** The id of a letter among those of all orders. */
export function letterId({ orderId, kind }: Pick<Mail, "orderId" | "kind">): string {
  return `${orderId}/${kind}`;
}

/** What is kept of a letter for whoever looks for those that did not go out. */
export function lostLetter(mail: Frozen<Mail>, failure: Failure, atMs: number): Undelivered {
  const { orderId, kind, to, subject, text } = mail;
  return { orderId, kind, to, subject, text, outcome: failure.kind, reason: failure.reason, atMs };
}

/** The same letter, perhaps to another address. */
export function letterAgain(lost: Frozen<Undelivered>, to: string = lost.to): Mail {
  const { orderId, kind, subject, text = `${subject}.` } = lost;
  return { orderId, kind, to, subject, text };
}

export function confirmedMail({ orderId, customer, total, currency, lines }: OrderConfirmed): Mail {
  const pieces = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  return {
    orderId,
    kind: "confirmed",
    to: customer.email,
    subject: `Your order ${orderId} is confirmed`,
    text: `Thank you for your order ${orderId}: ${pieces} pieces for ${amountText(total, currency)}. We will write again when it leaves.`,
  };
}

export function shippedMail({ orderId, customer, tracking }: OrderShipped): Mail {
  const trace = tracking === undefined ? "" : ` The carrier knows it as ${tracking}.`;
  return {
    orderId,
    kind: "shipped",
    to: customer.email,
    subject: `Your order ${orderId} is on its way`,
    text: `Your order ${orderId} has left our house.${trace}`,
  };
}

const because = {
  requested: "as you asked",
  "payment-declined": "because the payment was declined",
  "payment-timeout": "because the payment did not come through in time",
} as const satisfies Record<OrderCancelled["reason"], string>;

export function cancelledMail({ orderId, customer, reason }: OrderCancelled): Mail {
  return {
    orderId,
    kind: "cancelled",
    to: customer.email,
    subject: `Your order ${orderId} is cancelled`,
    text: `We have cancelled your order ${orderId}, ${because[reason]}. Whatever was reserved on your card is given back.`,
  };
}

export function refundedMail({ orderId, customer, amount, currency }: OrderRefunded): Mail {
  return {
    orderId,
    kind: "refunded",
    to: customer.email,
    subject: `Your money for order ${orderId}`,
    text: `We have given back ${amountText(amount, currency)} for your order ${orderId}.`,
  };
}
