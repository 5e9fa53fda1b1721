import {
  codeOf,
  type Append,
  type Envelope,
  type Position,
  type StoredMessage,
  type Transport,
} from "@waybill/messaging";

/** The n-th message of a lane to one partition. */
export function message(partition: number, n: number): Envelope {
  return {
    id: `${partition}-${n}`,
    type: "order.placed",
    schema: 1,
    subject: `order-${n}`,
    key: `order-${n}`,
    producer: "orders",
    atMs: 1_700_000_000_000 + n,
    correlation: `${partition}-${n}`,
    stamp: { source: `lane-${partition}`, n, prev: n - 1 },
    body: `{"n":${n}}`,
  };
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

export function starts(topic: string, partitions: number): Position[] {
  return range(0, partitions - 1).map((partition) => ({ topic, partition, logId: "", nextOffset: 0 }));
}

export const unaborted: AbortSignal = new AbortController().signal;

/** Senders as lanes have them: each repeats the same append until it is confirmed, and then takes the next. */
export interface Senders {
  /** How many of each partition are confirmed, without a hole. */
  readonly confirmed: readonly number[];
  /** How many appends failed and were repeated. */
  readonly failures: () => number;
  /** The longest append, in milliseconds: no call may hang. */
  readonly longestMs: () => number;
  /** Resolves when every append under way is confirmed. */
  stop(): Promise<void>;
}

export function startSenders(transport: Transport, topic: string, partitions: number, batch = 20): Senders {
  const confirmed = range(0, partitions - 1).map(() => 0);
  let failures = 0;
  let longestMs = 0;
  let stopping = false;
  const send = async (partition: number): Promise<void> => {
    while (!stopping) {
      const from = confirmed[partition]! + 1;
      const append: Append = {
        topic,
        partition,
        messages: range(from, from + batch - 1).map((n) => message(partition, n)),
      };
      for (;;) {
        const began = performance.now();
        const [result] = await transport.append([append], unaborted);
        longestMs = Math.max(longestMs, performance.now() - began);
        if (result!.ok) break;
        if (!result!.error.retryable) throw result!.error;
        failures += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      confirmed[partition] = from + batch - 1;
    }
  };
  const work = Promise.all(range(0, partitions - 1).map(send));
  return {
    confirmed,
    failures: () => failures,
    longestMs: () => longestMs,
    async stop() {
      stopping = true;
      await work;
    },
  };
}

/** What a reader has taken, by the chain of stamps. */
export interface Taken {
  /** The last `n` taken, by partition; all before it were taken. */
  readonly marks: number[];
  repeats: number;
  /** Offsets read twice: a reader repeats nothing, whatever the log holds. */
  reread: number;
  readonly lastOffsets: number[];
}

export function nothingTaken(partitions: number): Taken {
  return {
    marks: range(1, partitions).map(() => 0),
    repeats: 0,
    reread: 0,
    lastOffsets: range(1, partitions).map(() => 0),
  };
}

/** Takes messages as a lane does. Throws on a gap. */
export function take(taken: Taken, messages: readonly StoredMessage[]): void {
  for (const { partition, offset, stamp, id } of messages) {
    if (offset <= taken.lastOffsets[partition]!) taken.reread += 1;
    taken.lastOffsets[partition] = offset;
    const mark = taken.marks[partition]!;
    if (stamp!.n <= mark) {
      taken.repeats += 1;
      continue;
    }
    if (stamp!.prev > mark)
      throw new Error(`A gap before ${id}: its predecessor is ${stamp!.prev}, the mark is ${mark}.`);
    taken.marks[partition] = stamp!.n;
  }
}

/** Reads, over whatever breaks, until everything up to `until()` is taken. Returns how often the broker was away. */
export async function readUntil(
  transport: Transport,
  topic: string,
  taken: Taken,
  isDone: () => boolean,
): Promise<{ readonly failures: number; readonly longestMs: number }> {
  await using reader = transport.reader(starts(topic, taken.marks.length));
  let failures = 0;
  let longestMs = 0;
  while (!isDone()) {
    const began = performance.now();
    try {
      const { messages } = await reader.fetch({ messages: 500, bytes: 1e6, waitMs: 300 }, unaborted);
      take(taken, messages);
    } catch (error) {
      if (codeOf(error) !== "TRANSPORT_UNAVAILABLE") throw error;
      failures += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    longestMs = Math.max(longestMs, performance.now() - began);
  }
  return { failures, longestMs };
}

/** Resolves as soon as the condition holds. */
export async function eventually(isSo: () => boolean, msMax = 60_000): Promise<void> {
  const untilMs = performance.now() + msMax;
  while (!isSo()) {
    if (performance.now() > untilMs) throw new Error(`Not so within ${msMax} ms: ${isSo.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
