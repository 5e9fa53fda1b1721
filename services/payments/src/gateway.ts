import type { EffectCall, Outcome, TryAgain } from "@waybill/messaging";

/** Money in integer minor units of an ISO 4217 currency. */
export interface Amount {
  readonly minor: number;
  readonly currency: string;
}

export interface AuthoriseRequest {
  /** Our name for the payment: the order's id. */
  readonly reference: string;
  readonly amount: Amount;
  /** The gateway's token for the customer's card; never the card. */
  readonly token: string;
}

/** A request about a payment that the gateway knows. */
export interface PaymentRequest {
  readonly reference: string;
  /** The gateway's id of the payment, from its authorisation. */
  readonly paymentId: string;
  readonly amount: Amount;
}

/** What the gateway answers to any of the four. */
export interface Receipt {
  /** The gateway's id of the payment. */
  readonly paymentId: string;
  /** The gateway's id of this operation. */
  readonly operationId: string;
}

export type GatewayAnswer = Promise<Outcome<Receipt> | TryAgain>;

/**
 * A payment provider. Every call carries an idempotency key (`call.key`); the same key gives the same answer.
 * `refused` is the provider's final no, with its reason (`card_declined`, `insufficient_funds`, `authorisation_expired`).
 * `again` is returned only when the provider surely did nothing (connection refused, 429). Anything in doubt (a time-out, a
 * connection lost after the request was sent, a 5xx) is `unknown`: the engine then asks `find`.
 */
export interface PaymentGateway {
  /** How long it remembers a key, in milliseconds; undefined: for ever. */
  readonly keyTtlMs?: number;
  /** How many calls of a kind it takes at once; the engine's own default when it does not say. */
  readonly concurrency?: number;
  authorise(request: AuthoriseRequest, call: EffectCall): GatewayAnswer;
  capture(request: PaymentRequest, call: EffectCall): GatewayAnswer;
  void(request: PaymentRequest, call: EffectCall): GatewayAnswer;
  refund(request: PaymentRequest, call: EffectCall): GatewayAnswer;
  /**
   * What the provider did for a key; undefined when it has never seen it, `again` when it wants to be asked later. Rejects when
   * it cannot be asked.
   */
  find(key: string, signal: AbortSignal): Promise<Outcome<Receipt> | TryAgain | undefined>;
}
