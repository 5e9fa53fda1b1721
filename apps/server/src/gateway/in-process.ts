import type { EffectCall, Outcome } from "@waybill/messaging";
import type { Amount, PaymentGateway, Receipt } from "@waybill/payments";

export type GatewayOperation = "authorise" | "capture" | "void" | "refund";

export interface OperationSum {
  count: number;
  /** Minor units by currency. */
  readonly minor: Map<string, number>;
}

export interface InProcessGateway extends PaymentGateway {
  /** What was done, each key once. Exact as long as no key comes back after `keysRemembered` newer ones. */
  readonly sums: Readonly<Record<GatewayOperation, OperationSum>>;
  /** How many calls repeated a key. */
  repeats(): number;
}

interface Done {
  readonly kind: GatewayOperation;
  readonly receipt: Outcome<Receipt> & { kind: "done" };
}

/**
 * A gateway in this process that approves everything, for measuring a shop without one. It keeps nothing on the disk.
 * Its ids derive from the keys, so that a repeat has the same receipt even after its key was forgotten.
 */
export function inProcessGateway(options: { keysRemembered?: number } = {}): InProcessGateway {
  const { keysRemembered = 16_384 } = options;
  const byKey = new Map<string, Done>();
  const sums = { authorise: emptySum(), capture: emptySum(), void: emptySum(), refund: emptySum() };
  let repeats = 0;

  function remember(key: string, done: Done): void {
    byKey.set(key, done);
    if (byKey.size <= keysRemembered) return;
    for (const oldest of byKey.keys()) {
      byKey.delete(oldest);
      return;
    }
  }

  function perform(kind: GatewayOperation, paymentId: string, amount: Amount, { key }: EffectCall): Outcome<Receipt> {
    const found = byKey.get(key);
    if (found !== undefined) {
      repeats += 1;
      return found.kind === kind ? found.receipt : { kind: "refused", reason: "key_reused" };
    }
    const receipt = { kind: "done", value: { paymentId, operationId: `op_${key}` } } as const;
    remember(key, { kind, receipt });
    const sum = sums[kind];
    sum.count += 1;
    sum.minor.set(amount.currency, (sum.minor.get(amount.currency) ?? 0) + amount.minor);
    return receipt;
  }

  return {
    sums,
    repeats: () => repeats,
    authorise: async (request, call) => perform("authorise", `pay_${call.key}`, request.amount, call),
    capture: async (request, call) => perform("capture", request.paymentId, request.amount, call),
    void: async (request, call) => perform("void", request.paymentId, request.amount, call),
    refund: async (request, call) => perform("refund", request.paymentId, request.amount, call),
    find: async (key) => byKey.get(key)?.receipt,
  };
}

function emptySum(): OperationSum {
  return { count: 0, minor: new Map() };
}
