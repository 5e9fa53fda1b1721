import { connect, headers, nuid, type NatsConnection } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { writeAttributes, type Append, type Envelope, type Position, type Transport } from "@waybill/messaging";
import { natsTransport } from "@waybill/transport-nats";

/** What one run found. Rates in messages a second, times in milliseconds. */
export interface NatsFigures {
  /** Appends of 1,000 messages over 8 partitions, one after the other, ours and the others in turn. */
  readonly append: {
    readonly ours: number;
    /** The client alone, with the same attributes as headers of its own. */
    readonly raw: number;
    /** The client alone, bodies only. */
    readonly bare: number;
    readonly oursToRaw: number;
    readonly oursToBare: number;
  };
  /** Reading a stored topic of 32 partitions, by how many of them are read; the rate counts what was asked for. */
  readonly read: Readonly<Record<number, number>>;
  /** One message appended, and fetched by a reader that waits for it. */
  readonly alone: { readonly p50: number; readonly p99: number };
  /** The bounds of 32 partitions, and with the offset at a time. */
  readonly bounds: { readonly p50: number; readonly atTimeP50: number };
}

export interface NatsMeasureOptions {
  readonly url: string;
  /** How long appends are measured. */
  readonly durationMs?: number;
  /** Messages in the topic that is read. */
  readonly stored?: number;
}

const batch = 1_000;
const partitions = 8;
const bodyText = JSON.stringify({
  order: "o-1234567890",
  lines: [{ sku: "85123A", quantity: 6, price: 255 }],
  pad: "x".repeat(200),
});
const unaborted = new AbortController().signal;

/** Measures the transport beside the client that it rests on. The server should have no streams named `bench-*`. */
export async function measureNats(options: NatsMeasureOptions): Promise<NatsFigures> {
  const { url, durationMs = 15_000, stored = 200_000 } = options;
  const client = await connect({ servers: url });
  await using transport = await natsTransport({ servers: url });
  try {
    const append = await measureAppend(client, transport, durationMs);
    const read = await measureRead(transport, stored);
    const bounds = await measureBounds(transport);
    const alone = await measureAlone(transport);
    return { append, read, alone, bounds };
  } finally {
    const manager = await jetstreamManager(client);
    for await (const name of manager.streams.names()) if (name.startsWith("bench-")) await manager.streams.delete(name);
    await client.close();
  }
}

async function measureAppend(
  client: NatsConnection,
  transport: Transport,
  durationMs: number,
): Promise<NatsFigures["append"]> {
  for (const topic of ["bench-ours", "bench-raw", "bench-bare"]) {
    await transport.declare({ name: topic, partitions, bytesMax: 100_000, retentionBytes: 512 * 1_048_576 });
  }
  let n = 0;
  const once = {
    ours: async () => {
      const results = await transport.append(appends("bench-ours", n), unaborted);
      for (const result of results) if (!result.ok) throw result.error;
    },
    raw: () => rawBatch(client, "bench-raw", n, true),
    bare: () => rawBatch(client, "bench-bare", n, false),
  };
  const names = ["ours", "raw", "bare"] as const;
  const spentMs = { ours: [] as number[], raw: [] as number[], bare: [] as number[] };
  const untilMs = performance.now() + durationMs;
  for (let turn = 0; performance.now() < untilMs; turn++) {
    for (let at = 0; at < names.length; at++) {
      const name = names[(at + turn) % names.length]!;
      const ms = await timed(once[name]);
      n += batch;
      // The first ones warm up.
      if (turn >= 20) spentMs[name].push(ms);
    }
  }
  const rate = (list: readonly number[]): number =>
    (list.length * batch * 1_000) / list.reduce((sum, ms) => sum + ms, 0);
  const [ours, raw, bare] = [rate(spentMs.ours), rate(spentMs.raw), rate(spentMs.bare)];
  return { ours, raw, bare, oursToRaw: ours / raw, oursToBare: ours / bare };
}

/** A thousand messages, in equal parts to each partition. */
function appends(topic: string, n: number): Append[] {
  const part = batch / partitions;
  return Array.from({ length: partitions }, (_, partition) => ({
    topic,
    partition,
    messages: Array.from({ length: part }, (_one, at) => envelope(n + partition * part + at)),
  }));
}

function envelope(n: number): Envelope {
  return {
    id: `kzGBo6ZtSlqGqDLL3ARRkC0i${n}`,
    type: "order.placed",
    schema: 1,
    subject: `order-${n % 10_000}`,
    key: `order-${n % 10_000}`,
    producer: "orders",
    atMs: Date.now(),
    correlation: "kzGBo6ZtSlqGqDLL3ARRkC0i",
    causation: "kzGBo6ZtSlqGqDLL3ARRkC0i",
    stamp: { source: "8d7f1e36-6a5b-4a43-9d0c-0d4f2a9b6c11", n: n + 2, prev: n + 1 },
    body: bodyText,
  };
}

async function rawBatch(client: NatsConnection, topic: string, n: number, attributes: boolean): Promise<void> {
  const id = nuid.next();
  for (let at = 1; at <= batch; at++) {
    const lines = headers();
    if (attributes) writeAttributes(envelope(n + at), (name, value) => lines.append(`ce-${name}`, value));
    lines.append("Nats-Batch-Id", id);
    lines.append("Nats-Batch-Sequence", String(at));
    const subject = `${topic}.${Math.floor(((at - 1) * partitions) / batch)}.order.placed`;
    if (at < batch) client.publish(subject, bodyText, { headers: lines });
    else {
      lines.append("Nats-Batch-Commit", "1");
      const ack = (await client.request(subject, bodyText, { headers: lines, timeout: 10_000 })).json<{
        count?: number;
      }>();
      if (ack.count !== batch) throw new Error(`The raw batch was not stored: ${JSON.stringify(ack)}`);
    }
  }
}

async function measureRead(transport: Transport, stored: number): Promise<Record<number, number>> {
  const topic = "bench-read";
  await transport.declare({ name: topic, partitions: 32, bytesMax: 100_000 });
  for (let n = 0; n < stored; n += batch) {
    const parts = Array.from({ length: 32 }, (_, partition) => ({ topic, partition, messages: [] as Envelope[] }));
    for (let at = 0; at < batch; at++) parts[at % 32]!.messages.push(envelope(n + at));
    for (const result of await transport.append(parts, unaborted)) if (!result.ok) throw result.error;
  }
  const rates: Record<number, number> = {};
  for (const count of [1, 4, 8, 16, 32]) {
    await readCount(transport, topic, count);
    rates[count] = await readCount(transport, topic, count);
  }
  return rates;
}

async function readCount(transport: Transport, topic: string, count: number): Promise<number> {
  const from: Position[] = Array.from({ length: count }, (_, partition) => ({
    topic,
    partition,
    logId: "",
    nextOffset: 0,
  }));
  await using reader = transport.reader(from);
  const began = performance.now();
  let messages = 0;
  for (let ended = 0; ended < count;) {
    const fetched = await reader.fetch({ messages: 2_048, bytes: 2_097_152, waitMs: 10_000 }, unaborted);
    messages += fetched.messages.length;
    ended = fetched.atEnd.length;
  }
  return (messages * 1_000) / (performance.now() - began);
}

async function measureBounds(transport: Transport): Promise<NatsFigures["bounds"]> {
  const plain: number[] = [];
  const atTime: number[] = [];
  for (let call = 0; call < 30; call++) {
    plain.push(await timed(() => transport.bounds("bench-read")));
    atTime.push(await timed(() => transport.bounds("bench-read", Date.now() - 2_000)));
  }
  return { p50: median(plain), atTimeP50: median(atTime) };
}

async function measureAlone(transport: Transport): Promise<NatsFigures["alone"]> {
  const topic = "bench-alone";
  await transport.declare({ name: topic, partitions, bytesMax: 100_000 });
  await using reader = transport.reader([{ topic, partition: 3, logId: "", nextOffset: 0 }]);
  await reader.fetch({ messages: 10, bytes: 1e6, waitMs: 0 }, unaborted);
  const times: number[] = [];
  for (let n = 0; n < 500; n++) {
    times.push(
      await timed(async () => {
        const fetching = reader.fetch({ messages: 10, bytes: 1e6, waitMs: 10_000 }, unaborted);
        await transport.append([{ topic, partition: 3, messages: [envelope(n)] }], unaborted);
        if ((await fetching).messages.length === 0) throw new Error("A fetch came back without the message.");
      }),
    );
  }
  times.sort((a, b) => a - b);
  return { p50: median(times), p99: times[Math.floor(times.length * 0.99)]! };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!;
}
