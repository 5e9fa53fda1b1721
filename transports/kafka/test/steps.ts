import type { Append, Envelope, Fetched, Position, Reader, StoredMessage, Transport } from "@waybill/messaging";

/** A signal that is never aborted. */
export const unaborted: AbortSignal = new AbortController().signal;

/** The n-th message of one source to a partition. */
export function message(n: number, partition = 0): Envelope {
  return {
    id: `p${partition}-${n}`,
    type: "order.placed",
    schema: 1,
    subject: `order-${n}`,
    key: `order-${n}`,
    producer: "orders",
    atMs: 1_790_000_000_000 + n,
    correlation: `p${partition}-${n}`,
    stamp: { source: `lane-${partition}`, n, prev: n - 1 },
    body: `{"n":${n}}`,
  };
}

export function batchOf(topic: string, partition: number, from: number, count: number): Append {
  return { topic, partition, messages: Array.from({ length: count }, (_, at) => message(from + at, partition)) };
}

/** As a lane's sender does: the same batches again and again until all are known to be stored; counts the failures. */
export async function untilStored(transport: Transport, batches: readonly Append[]): Promise<number> {
  let left = batches;
  let failures = 0;
  while (left.length > 0) {
    const results = await transport.append(left, unaborted);
    left = left.filter((_, at) => !results[at]!.ok);
    failures += left.length;
  }
  return failures;
}

export function starts(topic: string, partitions: number): Position[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition, logId: "", nextOffset: 0 }));
}

/** Fetches, and again whenever the broker is away. */
export async function fetchOn(reader: Reader, waitMs = 1_000): Promise<Fetched> {
  for (;;) {
    try {
      return await reader.fetch({ messages: 5_000, bytes: 4_000_000, waitMs }, unaborted);
    } catch (error) {
      if ((error as { code?: string }).code !== "TRANSPORT_UNAVAILABLE") throw error;
    }
  }
}

/** Everything in a topic. */
export async function readTopic(transport: Transport, topic: string, partitions: number): Promise<StoredMessage[]> {
  await using reader = transport.reader(starts(topic, partitions));
  const found: StoredMessage[] = [];
  for (;;) {
    const { messages, atEnd } = await fetchOn(reader, 0);
    found.push(...messages);
    if (atEnd.length === partitions) return found;
  }
}

/** The last `n` of each partition that a reader takes by the chain. Throws on a gap: something was lost or out of order. */
export function takenOf(list: readonly StoredMessage[]): { marks: Map<number, number>; repeats: number } {
  const marks = new Map<number, number>();
  let repeats = 0;
  for (const { partition, stamp, id } of list) {
    const mark = marks.get(partition) ?? 0;
    if (stamp!.n <= mark) {
      repeats += 1;
      continue;
    }
    if (stamp!.prev > mark)
      throw new Error(`A gap before ${id}: its predecessor is ${stamp!.prev}, the mark is ${mark}.`);
    marks.set(partition, stamp!.n);
  }
  return { marks, repeats };
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<{ code?: string; message: string }> {
  return await promise.then(
    () => ({ message: "It was resolved." }),
    (error: unknown) => error as { code?: string; message: string },
  );
}
