import type { OperationKind } from "./payment.ts";

/** How one kind of operation behaves for the payments of a token; an empty one is approved by the ordinary rules. */
export interface Behaviour {
  /** The operation is refused with this reason, and recorded. */
  readonly refuse?: string;
  /** What the first attempts of a key meet, before anything is done. */
  readonly first?: { readonly attempts: number; readonly meet: "error" | "rate_limit" | "silence" };
  /** What becomes of the answer to an operation that was just done. A repeat of it is answered at once. */
  readonly answer?: "late" | "lost";
}

export interface TestToken {
  /** One line for people; the documentation's table says the same. */
  readonly does: string;
  readonly on?: Partial<Record<OperationKind, Behaviour>>;
  /** The authorisation runs out at once. */
  readonly expired?: true;
}

/** Every card token that the sandbox knows. The token given to the authorisation also rules what follows on it. */
export const testTokens: Readonly<Record<string, TestToken>> = {
  tok_approved: { does: "Everything is approved." },
  tok_declined: {
    does: "The authorisation is refused: `card_declined`.",
    on: { authorise: { refuse: "card_declined" } },
  },
  tok_insufficient_funds: {
    does: "The authorisation is refused: `insufficient_funds`.",
    on: { authorise: { refuse: "insufficient_funds" } },
  },
  tok_slow: {
    does: "Authorised at once, answered late: after the start option `--slow-token-ms`, 3,000 ms by default.",
    on: { authorise: { answer: "late" } },
  },
  tok_error_then_fine: {
    does: "The first two attempts to authorise are answered with 500 and do nothing; the third is approved.",
    on: { authorise: { first: { attempts: 2, meet: "error" } } },
  },
  tok_rate_limited: {
    does: "The first attempt to authorise is answered with 429 and `Retry-After: 1`; the second is approved.",
    on: { authorise: { first: { attempts: 1, meet: "rate_limit" } } },
  },
  tok_timeout: {
    does: "The first attempt to authorise does nothing and is never answered; the second is approved.",
    on: { authorise: { first: { attempts: 1, meet: "silence" } } },
  },
  tok_charged_answer_lost: {
    does: "Authorised, then the connection is cut instead of an answer. A look-up by key finds it.",
    on: { authorise: { answer: "lost" } },
  },
  tok_authorisation_expired: {
    does: "Authorised, but the authorisation runs out at once: the capture is refused with `authorisation_expired`.",
    expired: true,
  },
  tok_capture_refused: {
    does: "Authorised; the capture is refused: `capture_refused`. It can still be voided.",
    on: { capture: { refuse: "capture_refused" } },
  },
  tok_capture_answer_lost: {
    does: "Authorised; captured, then the connection is cut instead of an answer.",
    on: { capture: { answer: "lost" } },
  },
  tok_void_answer_lost: {
    does: "Authorised; voided, then the connection is cut instead of an answer.",
    on: { void: { answer: "lost" } },
  },
  tok_refund_refused: {
    does: "Authorised and captured; the refund is refused: `refund_refused`.",
    on: { refund: { refuse: "refund_refused" } },
  },
  tok_refund_answer_lost: {
    does: "Authorised and captured; refunded, then the connection is cut instead of an answer.",
    on: { refund: { answer: "lost" } },
  },
};

const plain: Behaviour = {};

/** How a kind of operation behaves for a token. */
export function behaviourOf(token: string, kind: OperationKind): Behaviour {
  return testTokens[token]?.on?.[kind] ?? plain;
}
