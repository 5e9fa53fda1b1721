import { openLedger, type OperationRequest } from "@waybill/gateway";
import type { Outcome } from "@waybill/messaging";
import type { Amount, PaymentGateway, Receipt } from "@waybill/payments";

const dayMs = 86_400_000;

/**
 * The sandbox gateway's own ledger in a folder, called without HTTP between, and without faults: what a shop has asked for lies there
 * afterwards as if the sandbox had run beside it.
 */
export function ledgerGateway(folder: string): PaymentGateway & Disposable {
  const ledger = openLedger({ folder, authorisationTtlMs: 7 * dayMs, now: Date.now, forgetKeysAfterMs: () => null });
  const prefix = `pay_${ledger.id}_`;

  async function perform(request: OperationRequest): Promise<Outcome<Receipt>> {
    const performed = await ledger.perform(request);
    if ("keyUsedFor" in performed) return { kind: "refused", reason: "key_reused" };
    const { n, payment, result, reason } = performed.operation;
    if (result === "refused") return { kind: "refused", reason: reason ?? result };
    return { kind: "done", value: { paymentId: prefix + payment, operationId: `op_${ledger.id}_${n}` } };
  }

  function follow(kind: "capture" | "void" | "refund", key: string, paymentId: string, amount?: Amount) {
    const payment = Number(paymentId.slice(prefix.length));
    return perform({ kind, key, payment, amount: amount?.minor, currency: amount?.currency });
  }

  return {
    authorise: ({ reference, token, amount }, { key }) =>
      perform({ kind: "authorise", key, reference, token, amount: amount.minor, currency: amount.currency }),
    capture: ({ paymentId, amount }, { key }) => follow("capture", key, paymentId, amount),
    void: ({ paymentId }, { key }) => follow("void", key, paymentId),
    refund: ({ paymentId, amount }, { key }) => follow("refund", key, paymentId, amount),
    // Every call is answered, for it is in this process: there is nothing to ask for.
    find: async () => undefined,
    [Symbol.dispose]: () => ledger[Symbol.dispose](),
  };
}
