import {
  effect,
  type AnyEffectAdapter,
  type EffectAdapter,
  type EffectCall,
  type Outcome,
  type TryAgain,
} from "@waybill/messaging";

/** One letter to a customer. */
export interface Mail {
  readonly orderId: string;
  /** What it tells: at most one of each kind goes out for an order. */
  readonly kind: MailKind;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export type MailKind = "confirmed" | "shipped" | "cancelled" | "refunded";

/** Whoever carries mail away. `call.key` is the same for each attempt: one that knows keys sends a letter only once. */
export interface Mailer {
  /** How many letters it carries at once. Default 32. */
  readonly concurrency?: number;
  /** An attempt's time limit in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  send(mail: Mail, call: EffectCall): Promise<Outcome<null> | TryAgain>;
}

/** A provider that is down for a day does not get old news afterwards. */
export const sendMail = effect<Mail>("mail.send", { queue: "mail", giveUpMs: 86_400_000 });

/**
 * The hands of this service's effect. Mail is sent at least once: after a crash in the wrong moment a letter may go out
 * a second time, unless the provider remembers keys, for `keyTtlMs`.
 */
export function mailEffects(
  mailer: Mailer,
  options: { readonly keyTtlMs?: number } = {},
): Record<string, AnyEffectAdapter> {
  const call: EffectAdapter<Mail, null>["call"] = (mail, attempt) => mailer.send(mail, attempt);
  const { keyTtlMs } = options;
  const { concurrency, timeoutMs } = mailer;
  const limits = {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
  const adapter: EffectAdapter<Mail, null> =
    keyTtlMs === undefined ? { idempotent: "none", ...limits, call } : { idempotent: "key", keyTtlMs, ...limits, call };
  return { [sendMail.name]: adapter };
}
