import { Producer } from "@platformatic/kafka";
import { writeAttributes, type Envelope, type Transport } from "@waybill/messaging";
import { kafkaTransport } from "@waybill/transport-kafka";

/** Messages a second, one figure for each round. */
export interface Rates {
  readonly waybill: number[];
  /** The client by itself, idempotent, with the same keys, bodies and headers. */
  readonly raw: number[];
  /** The client by itself with keys and bodies only. */
  readonly bare: number[];
}

export interface Reading {
  readonly partitions: number;
  readonly perSecond: number;
  /** Of this process, for each message. */
  readonly cpuUs: number;
}

const batch = 1_000;
const topicOf = (name: string): string => `measure-${name}-${crypto.randomUUID().slice(0, 8)}`;

/**
 * Appends batches of 1,000 to each of several partitions in one call, as this transport does and as the client does by
 * itself, turn by turn. Both wait until all in-sync replicas have them.
 */
export async function measureAppends(
  bootstrap: string,
  { rounds = 5, calls = 8, partitions = 8 }: { rounds?: number; calls?: number; partitions?: number } = {},
): Promise<Rates> {
  await using transport = await kafkaTransport({ bootstrap });
  const topic = topicOf("append");
  await transport.declare({ name: topic, partitions, bytesMax: 65_536 });
  const producer = new Producer({ clientId: "raw", bootstrapBrokers: bootstrap.split(","), idempotent: true });
  const rates: Rates = { waybill: [], raw: [], bare: [] };
  const count = calls * partitions * batch;
  await ours(transport, topic, partitions, 1);
  await theirs(producer, topic, partitions, 1, recordOf);
  for (let round = 0; round < rounds; round++) {
    rates.waybill.push(await rateOf(count, () => ours(transport, topic, partitions, calls)));
    rates.raw.push(await rateOf(count, () => theirs(producer, topic, partitions, calls, recordOf)));
    rates.bare.push(await rateOf(count, () => theirs(producer, topic, partitions, calls, bareOf)));
  }
  await producer.close();
  return rates;
}

async function ours(transport: Transport, topic: string, partitions: number, calls: number): Promise<void> {
  const signal = new AbortController().signal;
  for (let call = 0; call < calls; call++) {
    const appends = Array.from({ length: partitions }, (_, partition) => ({
      topic,
      partition,
      messages: messages(call * batch),
    }));
    for (const result of await transport.append(appends, signal)) if (!result.ok) throw result.error;
  }
}

async function theirs(
  producer: Producer,
  topic: string,
  partitions: number,
  calls: number,
  as: typeof bareOf,
): Promise<void> {
  for (let call = 0; call < calls; call++) {
    const records = Array.from({ length: partitions }, (_, partition) =>
      messages(call * batch).map((message) => as(message, topic, partition)),
    );
    await producer.send({ messages: records.flat(), acks: -1 });
  }
}

function recordOf(message: Envelope, topic: string, partition: number) {
  const headers = new Map<Buffer, Buffer>();
  writeAttributes(message, (name, value) => headers.set(Buffer.from(`ce_${name}`), Buffer.from(value)));
  return { ...bareOf(message, topic, partition), headers };
}

function bareOf({ key, body }: Envelope, topic: string, partition: number) {
  return { topic, partition, key: Buffer.from(key), value: Buffer.from(body as string) };
}

function messages(from: number): Envelope[] {
  const body = JSON.stringify({ text: "x".repeat(280) });
  return Array.from({ length: batch }, (_, at) => ({
    id: `0198f4c2-7a10-7000-8000-${String(from + at).padStart(12, "0")}`,
    type: "order.placed",
    schema: 1,
    subject: `order-${from + at}`,
    key: `order-${from + at}`,
    producer: "orders",
    atMs: 1_790_000_000_000 + from,
    correlation: `0198f4c2-7a10-7000-8000-${String(from + at).padStart(12, "0")}`,
    causation: `0198f4c2-7a10-7000-8000-${String(from + at).padStart(12, "0")}`,
    stamp: { source: "0198f4c2-7a10-7000-8000-000000000000", n: from + at + 1, prev: from + at },
    body,
  }));
}

async function rateOf(count: number, work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return Math.round((count / (performance.now() - startMs)) * 1_000);
}

/** Reads a topic of so many partitions from its start to its end. */
export async function measureReads(bootstrap: string, partitions: number, total = 64_000): Promise<Reading> {
  await using transport = await kafkaTransport({ bootstrap });
  const topic = topicOf("read");
  await transport.declare({ name: topic, partitions, bytesMax: 65_536 });
  await ours(transport, topic, partitions, total / batch / partitions);
  const from = Array.from({ length: partitions }, (_, partition) => ({ topic, partition, logId: "", nextOffset: 0 }));
  await using reader = transport.reader(from);
  const signal = new AbortController().signal;
  const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
  let read = 0;
  while (read < total) {
    const fetched = await reader.fetch({ messages: 2_048, bytes: 2_097_152, waitMs: 1_000 }, signal);
    read += fetched.messages.length;
  }
  const { user, system } = process.cpuUsage(startCpu);
  return {
    partitions,
    perSecond: Math.round((read / (performance.now() - startMs)) * 1_000),
    cpuUs: (user + system) / read,
  };
}

/** From the call of an append of one message to the message in the hands of a reader that waits; milliseconds, sorted. */
export async function measureAlone(bootstrap: string, count = 200): Promise<number[]> {
  await using transport = await kafkaTransport({ bootstrap });
  const topic = topicOf("alone");
  await transport.declare({ name: topic, partitions: 32, bytesMax: 65_536 });
  const from = Array.from({ length: 32 }, (_, partition) => ({ topic, partition, logId: "", nextOffset: 0 }));
  await using reader = transport.reader(from);
  const signal = new AbortController().signal;
  const limits = { messages: 100, bytes: 1_000_000, waitMs: 1_000 };
  const tookMs: number[] = [];
  await reader.fetch(limits, signal);
  for (let n = 0; n < count; n++) {
    const waiting = untilOne(() => reader.fetch(limits, signal));
    const startMs = performance.now();
    const appending = transport.append([{ topic, partition: n % 32, messages: messages(n).slice(0, 1) }], signal);
    await waiting;
    tookMs.push(performance.now() - startMs);
    await appending;
  }
  return tookMs.toSorted((a, b) => a - b);
}

async function untilOne(fetch: () => Promise<{ messages: readonly unknown[] }>): Promise<void> {
  while ((await fetch()).messages.length === 0);
}
