import {
  bodyBytes,
  codeOf,
  messageOf,
  WaybillError,
  type Append,
  type AppendResult,
  type Body,
  type Envelope,
  type Fetched,
  type FetchLimits,
  type Position,
  type Reader,
  type StoredMessage,
  type TopicPartition,
  type TopicSpec,
  type Transport,
} from "@waybill/messaging";

/** A transport to be tried, without topics, and what the cases must be able to do to its logs. */
export interface TransportUnderTest extends AsyncDisposable {
  readonly transport: Transport;
  /** The same logs through a new instance, after the one before was closed. `transport` is not used any more. */
  reopen(): Promise<Transport>;
  /** Deletes the topic and declares it again with the same settings: empty, under another log id. */
  recreate(topic: string): Promise<void>;
  /** As retention does: messages of the partition before this offset are gone. */
  dropBefore(topic: string, partition: number, offset: number): Promise<void>;
  /** As a broker does that loses what it acknowledged: the partition's last messages were never there; the log id stays,
   *  and the next message takes the offset of the first that is lost. The topic has messages in this partition only. */
  loseTail(topic: string, partition: number, count: number): Promise<void>;
  /** Leaves at least one offset of the partition unused, as a transaction's marker or another partition's message does. */
  leaveHole(topic: string, partition: number): Promise<void>;
  /** Appends a record with this body that is no envelope. */
  appendUnreadable(topic: string, partition: number, body: Uint8Array): Promise<void>;
  /** Lets time pass for the transport: a virtual clock is put forward, a real one waited for. */
  pass(ms: number): Promise<void>;
}

/** Opens a transport of its own for one case. */
export type OpenTransport = () => Promise<TransportUnderTest>;

/** A signal that is never aborted. */
export const unaborted: AbortSignal = new AbortController().signal;

/** Limits that no case reaches. */
export const wide: FetchLimits = { messages: 100_000, bytes: 1e9, waitMs: 0 };

/** Longer than any case lasts: a wait that must end by something else than time. */
export const foreverMs = 60_000;

export function spec(name: string, partitions = 4, bytesMax = 100_000): TopicSpec {
  return { name, partitions, bytesMax };
}

/** The n-th message of a lane that writes to one partition. */
export function message(n: number, change: Partial<Envelope> = {}): Envelope {
  return {
    id: `m-${n}`,
    type: "order.placed",
    schema: 1,
    subject: `order-${n}`,
    key: `order-${n}`,
    producer: "orders",
    atMs: 1_800_000_000_000 + n * 1000,
    correlation: `m-${n}`,
    stamp: { source: "lane-1", n, prev: n - 1 },
    body: `{"n":${n}}`,
    ...change,
  };
}

/** Messages `from` to `to`, both included. */
export function messages(from: number, to: number): Envelope[] {
  return Array.from({ length: to - from + 1 }, (_, at) => message(from + at));
}

/** Appends to one destination and gives its result. */
export async function append(
  transport: Transport,
  topic: string,
  partition: number,
  batch: readonly Envelope[],
): Promise<AppendResult> {
  const results = await transport.append([{ topic, partition, messages: batch }], unaborted);
  return results[0]!;
}

/** Appends what must be stored. */
export async function stored(
  transport: Transport,
  batches: readonly Append[],
): Promise<readonly (AppendResult & { ok: true })[]> {
  const results = await transport.append(batches, unaborted);
  return results.map((result) => {
    if (!result.ok) throw result.error;
    return result;
  });
}

/** Appends messages `from` to `to` to partition 0. */
export async function fill(
  transport: Transport,
  topic: string,
  from: number,
  to: number,
): Promise<AppendResult & { ok: true }> {
  const [result] = await stored(transport, [{ topic, partition: 0, messages: messages(from, to) }]);
  return result!;
}

/** The start of a partition that was never read. */
export function start(topic: string, partition = 0): Position {
  return { topic, partition, logId: "", nextOffset: 0 };
}

export function starts(topic: string, partitions: number): Position[] {
  return Array.from({ length: partitions }, (_, partition) => start(topic, partition));
}

/** Fetches once; repeats what the transport says may be repeated. */
export async function fetched(
  reader: Reader,
  limits: FetchLimits = wide,
  signal: AbortSignal = unaborted,
): Promise<Fetched> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await reader.fetch(limits, signal);
    } catch (error) {
      if (codeOf(error) !== "TRANSPORT_UNAVAILABLE" || attempt === 100) throw error;
    }
  }
}

export interface ReadToEnd {
  readonly messages: readonly StoredMessage[];
  /** Where each partition stands at the end. */
  readonly positions: readonly Position[];
}

/** Reads every partition to its end. */
export async function readOn(
  transport: Transport,
  from: readonly Position[],
  limits: FetchLimits = wide,
): Promise<ReadToEnd> {
  await using reader = transport.reader(from);
  return await readerToEnd(reader, from, limits);
}

export async function readerToEnd(
  reader: Reader,
  from: readonly Position[],
  limits: FetchLimits = wide,
): Promise<ReadToEnd> {
  const found: StoredMessage[] = [];
  const positions = new Map(from.map((position) => [nameOf(position), position]));
  for (let calls = 0; calls < 10_000; calls++) {
    const { messages: more, next, atEnd } = await fetched(reader, limits);
    found.push(...more);
    for (const position of next) positions.set(nameOf(position), position);
    if (atEnd.length === from.length) return { messages: found, positions: [...positions.values()] };
  }
  throw new Error("After 10,000 fetches the reader has still not listed every partition in atEnd.");
}

/** All of a partition from its first offset kept. */
export async function readAll(transport: Transport, topic: string, partition = 0): Promise<readonly StoredMessage[]> {
  const bounds = await transport.bounds(topic);
  const nextOffset = bounds[partition]!.firstOffset;
  return (await readOn(transport, [{ ...start(topic, partition), nextOffset }])).messages;
}

/** Fetches with a wait until there is something. */
export async function nextMessages(
  reader: Reader,
  limits: FetchLimits = { ...wide, waitMs: foreverMs },
): Promise<Fetched> {
  for (let calls = 0; calls < 100; calls++) {
    const got = await fetched(reader, limits);
    if (got.messages.length > 0) return got;
  }
  throw new Error("A hundred fetches that may wait returned nothing.");
}

export function ids(list: readonly Envelope[]): string[] {
  return list.map((one) => one.id);
}

export function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** What is stored, without where; bodies as bytes, because an engine may give a text back as its bytes. */
export function plain(one: Envelope): unknown {
  const { id, type, schema, subject, key, producer, atMs, correlation, causation, traceparent, stamp } = one;
  return {
    id,
    type,
    schema,
    subject,
    key,
    producer,
    atMs,
    correlation,
    causation,
    traceparent,
    stamp,
    body: hex(one.body),
  };
}

export function hex(body: Body): string {
  return Buffer.from(body as string).toString("hex");
}

export function bodySize(list: readonly Envelope[]): number {
  return list.reduce((sum, one) => sum + bodyBytes(one.body), 0);
}

/** The error that a promise rejects with; fails when it resolves or the error is not ours. */
export async function failure(promise: Promise<unknown>): Promise<WaybillError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof WaybillError) return error;
  throw new Error(`Expected a WaybillError, got ${error === undefined ? "a result" : messageOf(error)}.`);
}
