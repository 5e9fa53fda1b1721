import {
  orderCancelled,
  orderCompleted,
  orderRejected,
  orderReserved,
  stockAdjusted,
  stockAdjustmentRefused,
  topics,
} from "@waybill/contracts";
import { bodyText, type Reader, type StoredMessage } from "@waybill/messaging";
import { endOf, type Engine } from "@waybill/server";

/** How far an order or an adjustment has come: its goods are decided on, and it has come to its end. */
export type Step = "decided" | "settled";

const steps: ReadonlyMap<string, Step> = new Map([
  [orderReserved.name, "decided"],
  [orderRejected.name, "settled"],
  [orderCompleted.name, "settled"],
  [orderCancelled.name, "settled"],
  [stockAdjusted.name, "settled"],
  [stockAdjustmentRefused.name, "settled"],
]);

type What = "order" | "adjustment";

const fetchLimits = { messages: 2_048, bytes: 4_194_304, waitMs: 10_000 };

/** A reader of what the shop says from now on about orders and adjustments, of what is safely stored only. */
export async function readerFromNow(engine: Engine): Promise<Reader> {
  const transport = engine.durable.transportOf(topics.orders.name);
  const positions = await Promise.all([topics.orders, topics.stock].map(({ name }) => endOf(transport, name)));
  return transport.reader(positions.flat());
}

/** Tells each step of each order and adjustment, until the signal is aborted. */
export async function follow(
  reader: Reader,
  signal: AbortSignal,
  tell: (id: string, step: Step, what: What) => void,
): Promise<void> {
  while (!signal.aborted) {
    const { messages } = await reader.fetch(fetchLimits, signal);
    for (const message of messages) {
      const step = steps.get(message.type);
      if (step === undefined) continue;
      if (message.topic === topics.orders.name) tell(message.subject, step, "order");
      else tell(adjustmentIdOf(message), step, "adjustment");
    }
  }
}

function adjustmentIdOf(message: StoredMessage): string {
  return (JSON.parse(bodyText(message.body)) as { adjustmentId: string }).adjustmentId;
}
