import {
  orderCancelled,
  orderCompleted,
  orderRejected,
  orderReserved,
  stockAdjusted,
  stockAdjustmentRefused,
  topics,
} from "@waybill/contracts";
import { bodyText, codeOf, type Reader, type StoredMessage } from "@waybill/messaging";
import { endOf, type Engine } from "@waybill/server";
import { setTimeout as pause } from "node:timers/promises";

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
const retryAfterMs = 500;

/** Readers of what the shop says, one for each log. */
export interface Following extends AsyncDisposable {
  readonly readers: readonly Reader[];
}

/** What the shop says from now on about orders and adjustments, of what is safely stored only. */
export async function fromNow(engine: Engine): Promise<Following> {
  const names = [topics.orders.name, topics.stock.name];
  const transports = Map.groupBy(names, (name) => engine.durable.transportOf(name));
  const readers = await Promise.all(
    Array.from(transports, async ([transport, of]) => {
      const positions = await Promise.all(of.map((name) => endOf(transport, name)));
      return transport.reader(positions.flat());
    }),
  );
  const close = async () => void (await Promise.all(readers.map((reader) => reader[Symbol.asyncDispose]())));
  return { readers, [Symbol.asyncDispose]: close };
}

/** Tells each step of each order and adjustment, until the signal is aborted. */
export async function follow(
  { readers }: Following,
  signal: AbortSignal,
  tell: (id: string, step: Step, what: What) => void,
): Promise<void> {
  await Promise.all(readers.map((reader) => followOne(reader, signal, tell)));
}

async function followOne(
  reader: Reader,
  signal: AbortSignal,
  tell: (id: string, step: Step, what: What) => void,
): Promise<void> {
  while (!signal.aborted) {
    const messages = await messagesOf(reader, signal);
    for (const message of messages) {
      const step = steps.get(message.type);
      if (step === undefined) continue;
      if (message.topic === topics.orders.name) tell(message.subject, step, "order");
      else tell(adjustmentIdOf(message), step, "adjustment");
    }
  }
}

/** What comes next; a broker that is away for a moment is asked again. */
async function messagesOf(reader: Reader, signal: AbortSignal): Promise<readonly StoredMessage[]> {
  try {
    return (await reader.fetch(fetchLimits, signal)).messages;
  } catch (error) {
    if (codeOf(error) !== "TRANSPORT_UNAVAILABLE") throw error;
    await pause(retryAfterMs, undefined, { signal }).catch(() => undefined);
    return [];
  }
}

function adjustmentIdOf(message: StoredMessage): string {
  return (JSON.parse(bodyText(message.body)) as { adjustmentId: string }).adjustmentId;
}
