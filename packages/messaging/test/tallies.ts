import { faultyTransport, type AppendFault } from "@waybill/conformance";
import { service, when, type Append, type StoredMessage, type Transport } from "@waybill/messaging";
import { count, gathered, tally, thing } from "./counter.ts";
import type { Deployment } from "./deployment.ts";

export async function totals(shop: Deployment, id: string): Promise<readonly number[]> {
  return (await shop.read("tallier", tally(id)))?.seen ?? [];
}

export const rekeyer = service("rekeyer", {
  sends: [gathered],
  on: [
    when(
      count,
      (m) => [thing(m.id)],
      (m, [held], out) => {
        const total = (held.value?.total ?? 0) + 1;
        out.save(held, { total, rings: 0, answers: [] });
        out.send(gathered, { id: m.id, total });
      },
    ),
  ],
});

/** 1, 2, … up to this. */
export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, at) => at + 1);
}

export async function tallied(shop: Deployment, id: string, atLeast: number): Promise<readonly number[]> {
  await shop.until(`${id} is tallied`, async () => (await totals(shop, id)).length >= atLeast);
  return totals(shop, id);
}

/** All that lies in a partition. */
export async function logOf(shop: Deployment, topic: string, partition: number): Promise<readonly StoredMessage[]> {
  await using reader = shop.transport.reader([{ topic, partition, logId: "", nextOffset: 0 }]);
  const { messages } = await reader.fetch({ messages: 10_000, bytes: 1e9, waitMs: 0 }, AbortSignal.timeout(10_000));
  return messages;
}

/** A process whose appends are decided by the test. */
export function withAppends(append: (batch: Append) => AppendFault | undefined) {
  return { wrapTransport: (transport: Transport): Transport => faultyTransport(transport, { append }) };
}
