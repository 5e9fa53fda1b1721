import {
  orderCancelled,
  orderPaymentAwaited,
  orderReserved,
  paymentAuthorised,
  paymentCaptured,
  paymentCaptureRefused,
  paymentDeclined,
  paymentOutstanding,
  paymentRefunded,
  paymentRefundRefused,
  paymentResolve,
  paymentUncertain,
  paymentVoided,
  paymentVoidRefused,
  shipmentDispatched,
  type PaymentOperation,
} from "@waybill/contracts";
import {
  service,
  state,
  when,
  whenSettled,
  type EffectType,
  type Held,
  type Out,
  type Service,
} from "@waybill/messaging";
import { authorise, capture, effectOf, presence, refund, voidPayment } from "./effects.ts";
import type { PaymentRequest, Receipt } from "./gateway.ts";
import {
  cancelled,
  dispatched,
  isOutstanding,
  opened,
  resolved,
  settled,
  type Decision,
  type Payment,
} from "./rules.ts";

/** By the order's id. */
export const payment = state<Payment>("payment");

/** The money of each order: held when its goods are, taken when they leave, given back when it is cancelled. */
export function payments(): Service {
  return service("payments", {
    level: 2,
    on: [
      when(
        orderReserved,
        (m) => [payment(m.orderId)],
        (m, [held], out) => {
          if (held.value === undefined) carryOut(held, opened(m, out.nowMs), out);
        },
      ),
      when(
        shipmentDispatched,
        (m) => [payment(m.orderId)],
        (m, [held], out) => {
          const isUnheld = held.value?.pending === "authorise" && held.value.renewed !== true;
          if (held.value === undefined || isUnheld)
            out.notYet(`The payment of order ${m.orderId} is not authorised yet.`);
          else carryOut(held, dispatched(held.value, out.nowMs), out);
        },
      ),
      when(
        orderCancelled,
        (m) => [payment(m.orderId)],
        (_, [held], out) => {
          // An order that is cancelled before its goods were held has no payment.
          if (held.value !== undefined) carryOut(held, cancelled(held.value, out.nowMs), out);
        },
      ),
      when(
        orderPaymentAwaited,
        (m) => [payment(m.orderId)],
        ({ orderId }, [held], out) => {
          if (isOutstanding(held.value)) out.effect(presence, { reference: orderId });
        },
      ),
      whenSettled(
        presence,
        (r) => [payment(r.input.reference)],
        (r, [held], out) => {
          const { outcome, input } = r;
          if (outcome.kind === "done" && isOutstanding(held.value)) {
            out.send(paymentOutstanding, { orderId: input.reference });
          }
        },
      ),
      when(
        paymentResolve,
        (m) => [payment(m.orderId)],
        (m, [held], out) => {
          if (held.value !== undefined) carryOut(held, resolved(held.value, m, out.nowMs), out);
        },
      ),
      whenSettled(
        authorise,
        (r) => [payment(r.input.reference)],
        (r, [held], out) => carryOut(held, settled(held.value!, "authorise", r.outcome, out.nowMs), out),
      ),
      answered("capture", capture),
      answered("void", voidPayment),
      answered("refund", refund),
    ],
    sends: [
      paymentAuthorised,
      paymentCaptured,
      paymentCaptureRefused,
      paymentDeclined,
      paymentOutstanding,
      paymentRefunded,
      paymentRefundRefused,
      paymentUncertain,
      paymentVoided,
      paymentVoidRefused,
    ],
  });
}

function answered(operation: PaymentOperation, of: EffectType<PaymentRequest, Receipt>) {
  return whenSettled(
    of,
    (r) => [payment(r.input.reference)],
    (r, [held], out) => carryOut(held, settled(held.value!, operation, r.outcome, out.nowMs), out),
  );
}

function carryOut(held: Held<Payment>, decision: Decision | undefined, out: Out): void {
  if (decision === undefined) return;
  out.save(held, decision.payment);
  for (const { type, body } of decision.say) out.send(type, body);
  if (decision.ask !== undefined) ask(decision.payment, decision.ask, out);
}

function ask(
  { orderId, amount, currency, token, paymentId = "" }: Payment,
  operation: PaymentOperation,
  out: Out,
): void {
  const request = { reference: orderId, amount: { minor: amount, currency } };
  if (operation === "authorise") out.effect(authorise, { ...request, token });
  else out.effect(effectOf[operation], { ...request, paymentId });
}
