import { command, event, type Frozen } from "@waybill/messaging";
import { type } from "arktype";
import { amount, currency, id, text } from "./fields.ts";
import { topics } from "./topics.ts";

const orderId = "0198c2a4-5f00-7000-8000-000000000001";
const to = {
  topic: topics.payments,
  subject: (body: { readonly orderId: string }) => body.orderId,
};

const operation = type("'authorise' | 'capture' | 'void' | 'refund'");

/** What can be asked of a payment gateway. */
export type PaymentOperation = typeof operation.infer;

const moneySchema = type({ orderId: id, amount, currency, paymentId: id });

/** An amount in minor units, and the gateway's id of the payment. */
export type PaymentMoney = Frozen<typeof moneySchema.infer>;

const money = {
  ...to,
  schema: moneySchema,
  samples: [{ orderId, amount: 1530, currency: "GBP", paymentId: "pay_1" }],
} as const;

/** The money is held for us. */
export const paymentAuthorised = event<PaymentMoney>("payment.authorised", money);
/** The money is ours. */
export const paymentCaptured = event<PaymentMoney>("payment.captured", money);
/** The money is held no longer. */
export const paymentVoided = event<PaymentMoney>("payment.voided", money);
/** The money went back. */
export const paymentRefunded = event<PaymentMoney>("payment.refunded", money);

const refusedSchema = type({ orderId: id, reason: text });

/** The gateway's final no, with its reason. */
export type PaymentRefused = Frozen<typeof refusedSchema.infer>;

const refused = (reason: string) => ({
  ...to,
  schema: refusedSchema,
  samples: [{ orderId, reason }],
});

/** No money was held. */
export const paymentDeclined = event<PaymentRefused>("payment.declined", refused("card_declined"));
/** The goods have left and the money could not be taken. */
export const paymentCaptureRefused = event<PaymentRefused>("payment.capture-refused", refused("insufficient_funds"));
/** Money of a cancelled order is still held. */
export const paymentVoidRefused = event<PaymentRefused>("payment.void-refused", refused("payment_locked"));
/** Money of a cancelled order is still ours. */
export const paymentRefundRefused = event<PaymentRefused>("payment.refund-refused", refused("card_closed"));

const outstandingSchema = type({ orderId: id });

/** The gateway is there, and has not decided. */
export type PaymentOutstanding = Frozen<typeof outstandingSchema.infer>;

/** The answer to `order.payment-awaited`, as soon as the gateway answers at all. */
export const paymentOutstanding = event<PaymentOutstanding>("payment.outstanding", {
  ...to,
  schema: outstandingSchema,
  samples: [{ orderId }],
});

const uncertainSchema = type({ orderId: id, operation, reason: text });

/** It may have happened, and the gateway could not say; a person must find out. */
export type PaymentUncertain = Frozen<typeof uncertainSchema.infer>;

export const paymentUncertain = event<PaymentUncertain>("payment.uncertain", {
  ...to,
  schema: uncertainSchema,
  samples: [{ orderId, operation: "capture", reason: "The gateway has forgotten the key." }],
});

const done = type({ "+": "reject", kind: "'done'", paymentId: id, operationId: id });
const no = type({ "+": "reject", kind: "'refused'", reason: text });
const resolveSchema = type({ "+": "reject", orderId: id, operation, outcome: done.or(no) });

/** What an operator has found out about a payment that needed attention. */
export type PaymentResolve = Frozen<typeof resolveSchema.infer>;

export const paymentResolve = command<PaymentResolve>("payment.resolve", {
  topic: topics.paymentsIn,
  schema: resolveSchema,
  subject: (body) => body.orderId,
  samples: [
    {
      orderId,
      operation: "capture",
      outcome: { kind: "done", paymentId: "pay_1", operationId: "cap_1" },
    },
    {
      orderId,
      operation: "authorise",
      outcome: { kind: "refused", reason: "The gateway has no such payment." },
    },
  ],
});
