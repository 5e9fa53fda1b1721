import type { PaymentOperation } from "@waybill/contracts";
import { effect, type AnyEffectAdapter, type EffectAdapter, type EffectCall } from "@waybill/messaging";
import type { AuthoriseRequest, PaymentGateway, PaymentRequest, Receipt } from "./gateway.ts";

// One queue for all four, so that the gateway meets those of one order one after the other, in the order in which they
// were decided. None is ever given up: each is asked for by its key until its fate is known.
const gateway = { queue: "gateway", money: true } as const;

export const authorise = effect<AuthoriseRequest, Receipt>("payment.authorise", gateway);
export const capture = effect<PaymentRequest, Receipt>("payment.capture", gateway);
export const voidPayment = effect<PaymentRequest, Receipt>("payment.void", gateway);
export const refund = effect<PaymentRequest, Receipt>("payment.refund", gateway);

/** Asks whether the gateway is there. In a queue of its own: an order asks while its authorisation waits for an answer. */
export const presence = effect<{ readonly reference: string }>("gateway.presence", { queue: "gateway/presence" });

/** A key that no operation has. */
const keyOfNothing = "waybill-presence";

/** The effect of each operation that needs a payment to exist. */
export const effectOf = { capture, void: voidPayment, refund } as const satisfies Record<
  Exclude<PaymentOperation, "authorise">,
  unknown
>;

/** The hands of this service's effects: the gateway's calls, by the effects' names. */
export function gatewayEffects(of: PaymentGateway): Record<string, AnyEffectAdapter> {
  return {
    [authorise.name]: adapter<AuthoriseRequest>(of, (input, call) => of.authorise(input, call)),
    [capture.name]: adapter<PaymentRequest>(of, (input, call) => of.capture(input, call)),
    [voidPayment.name]: adapter<PaymentRequest>(of, (input, call) => of.void(input, call)),
    [refund.name]: adapter<PaymentRequest>(of, (input, call) => of.refund(input, call)),
    [presence.name]: presenceOf(of),
  };
}

/** Any answer will do; without one the question is asked again, for ever. */
function presenceOf(of: PaymentGateway): EffectAdapter<unknown, null> {
  return {
    idempotent: "none",
    async call(_, { signal }) {
      const found = await of.find(keyOfNothing, signal);
      return found?.kind === "again" ? found : { kind: "done", value: null };
    },
  };
}

function adapter<I>(of: PaymentGateway, call: EffectAdapter<I, Receipt>["call"]): EffectAdapter<I, Receipt> {
  return {
    idempotent: "find",
    ...(of.keyTtlMs === undefined ? {} : { keyTtlMs: of.keyTtlMs }),
    ...(of.concurrency === undefined ? {} : { concurrency: of.concurrency }),
    call,
    find: (_: I, { key, signal }: EffectCall) => of.find(key, signal),
  };
}
