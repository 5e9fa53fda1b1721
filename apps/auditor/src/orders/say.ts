import type { Findings } from "../findings.ts";
import type { Breach, Fix, Law } from "../laws.ts";
import type { OrderFacts } from "./facts.ts";

/** Notes a breach of an order; since its last step that is known. */
export function broken(facts: OrderFacts, findings: Findings, law: Law, what: string, remedy: string, fix?: Fix): void {
  const breach: Breach = {
    law,
    what,
    where: `order ${facts.orderId}`,
    sinceMs: lastStepMs(facts),
    remedy,
    ...(fix === undefined ? {} : { fix }),
  };
  findings.breach(breach);
}

function lastStepMs({ history, order, payment, shipment }: OrderFacts): number | undefined {
  return history().at(-1)?.[4] ?? order?.placedAtMs ?? payment?.ledger.at(-1)?.atMs ?? shipment?.createdAtMs;
}

/**
 * Cancels the order by the shop's own way, which gives goods and money back; undefined where that leads nowhere: once it is
 * confirmed, fulfilment decides, and must have a shipment to decide about. Undefined too where the log tells another status than the
 * state: a cancel would go by the wrong one.
 */
export function cancelOf({ orderId, order, shipment, told }: OrderFacts): Fix | undefined {
  if (told !== undefined && told.order !== order?.status) return undefined;
  const isEarly = order?.status === "placed" || order?.status === "reserved";
  if (!isEarly && !(order?.status === "confirmed" && shipment?.status === "waiting")) return undefined;
  return {
    kind: "message",
    type: "order.cancel",
    body: { orderId, reason: "The audit found it without a next step." },
  };
}
