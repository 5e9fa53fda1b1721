import { startNats, startNatsCluster, startProxy } from "@waybill/brokers";
import { codeOf, type TopicSpec, type Transport } from "@waybill/messaging";
import { natsTransport } from "@waybill/transport-nats";
import { connect } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { expect, test } from "vitest";
import { eventually, nothingTaken, readUntil, startSenders, starts, take, unaborted } from "./traffic.ts";

const partitions = 4;
const orders: TopicSpec = { name: "orders", partitions, bytesMax: 100_000 };
const timeoutMs = 1_500;

/** What came of it when senders and a reader went on over some trouble. */
interface Survived {
  /** Partitions of which something confirmed was not read. */
  readonly lost: number;
  /** Offsets that the reader gave out twice. */
  readonly reread: number;
  /** Whether a call took longer than a time-out of ours, a probe of the connection, and what a busy machine adds. */
  readonly hung: boolean;
}

const nothingBad: Survived = { lost: 0, reread: 0, hung: false };

/** Senders and a reader before, during and after the trouble. Throws when the reader meets a gap. */
async function survives(
  transport: Transport,
  trouble: (grown: () => Promise<void>) => Promise<void>,
): Promise<Survived> {
  const senders = startSenders(transport, "orders", partitions);
  const taken = nothingTaken(partitions);
  let stopped = false;
  const reading = readUntil(
    transport,
    "orders",
    taken,
    () => stopped && taken.marks.every((mark, at) => mark >= senders.confirmed[at]!),
  );
  const grown = async (): Promise<void> => {
    const before = [...senders.confirmed];
    await eventually(() => senders.confirmed.every((n, at) => n > before[at]! + 40));
  };
  await Promise.race([
    reading,
    (async () => {
      await grown();
      await trouble(grown);
      await grown();
    })(),
  ]);
  await senders.stop();
  stopped = true;
  const { longestMs } = await reading;
  return {
    lost: taken.marks.filter((mark, at) => mark < senders.confirmed[at]!).length,
    reread: taken.reread,
    hung: Math.max(longestMs, senders.longestMs()) > 20_000,
  };
}

test("a server killed while it is written to loses nothing that it confirmed", async () => {
  await using server = await startNats();
  await using transport = await natsTransport({ servers: server.url, timeoutMs });
  await transport.declare(orders);
  const survived = await survives(transport, async (grown) => {
    for (let times = 0; times < 3; times++) {
      await server.kill();
      await server.start();
      await grown();
    }
  });
  expect(survived).toEqual(nothingBad);
});

test("connections that are cut or hang are replaced, and nothing is lost or read twice", async () => {
  await using server = await startNats();
  await using proxy = await startProxy(server.url);
  await using transport = await natsTransport({ servers: proxy.url, timeoutMs });
  await transport.declare(orders);
  const survived = await survives(transport, async (grown) => {
    proxy.cut();
    await grown();
    proxy.freeze();
    const wires = proxy.connections;
    await eventually(() => proxy.connections !== wires);
    proxy.thaw();
    await grown();
  });
  expect(survived).toEqual(nothingBad);
});

test("a wire that hangs ends each call within its time, and says so", async () => {
  await using server = await startNats();
  await using proxy = await startProxy(server.url);
  await using transport = await natsTransport({ servers: proxy.url, timeoutMs: 300 });
  await transport.declare(orders);
  await using reader = transport.reader(starts("orders", partitions));
  await reader.fetch({ messages: 10, bytes: 1e6, waitMs: 0 }, unaborted);
  proxy.freeze();
  const [result] = await transport.append(appendOf(1), unaborted);
  expect(result).toMatchObject({ ok: false, error: { code: "TRANSPORT_UNAVAILABLE" } });
  await expect(reader.fetch({ messages: 10, bytes: 1e6, waitMs: 10 }, unaborted)).rejects.toMatchObject({
    code: "TRANSPORT_UNAVAILABLE",
  });
  await expect(transport.bounds("orders")).rejects.toMatchObject({ code: "TRANSPORT_UNAVAILABLE" });
});

test("a server that is gone is told of by every call, and found again", async () => {
  await using server = await startNats();
  await using transport = await natsTransport({ servers: server.url, timeoutMs: 500 });
  await transport.declare(orders);
  await using reader = transport.reader(starts("orders", partitions));
  const waiting = reader
    .fetch({ messages: 10, bytes: 1e6, waitMs: 60_000 }, unaborted)
    .then(({ atEnd }) =>
      atEnd.length > 0 ? reader.fetch({ messages: 10, bytes: 1e6, waitMs: 60_000 }, unaborted) : undefined,
    );
  waiting.catch(() => undefined);
  await server.kill();
  await expect(waiting).rejects.toMatchObject({ code: "TRANSPORT_UNAVAILABLE" });
  await expect(transport.declare({ ...orders, name: "others" })).rejects.toMatchObject({
    code: "TRANSPORT_UNAVAILABLE",
  });
  await expect(transport.read("orders", 0, 1)).rejects.toMatchObject({ code: "TRANSPORT_UNAVAILABLE" });
  expect((await transport.append(appendOf(1), unaborted))[0]).toMatchObject({
    error: { code: "TRANSPORT_UNAVAILABLE" },
  });
  await server.start();
  const taken = nothingTaken(partitions);
  const senders = startSenders(transport, "orders", 1);
  await eventually(() => senders.confirmed[0]! > 0);
  await senders.stop();
  await readUntil(transport, "orders", taken, () => taken.marks[0]! >= senders.confirmed[0]!);
});

test("three servers lose nothing when the one that leads the stream is killed", async () => {
  await using cluster = await startNatsCluster();
  await using transport = await natsTransport({ servers: cluster.url, timeoutMs: 3_000 });
  await transport.declare({ ...orders, replicas: 3 });
  let longestMs = 0;
  const survived = await survives(transport, async (grown) => {
    for (let times = 0; times < 2; times++) {
      const { streams } = await transport.inspect(["orders"]);
      const leader = cluster.servers[Number(/\d+$/.exec(streams[0]!.servers[0]!)![0]) - 1]!;
      await leader.kill();
      const killedMs = performance.now();
      await grown();
      longestMs = Math.max(longestMs, performance.now() - killedMs);
      await leader.start();
      await grown();
    }
  });
  expect(survived).toEqual(nothingBad);
  process.stdout.write(
    `nats: all partitions went on, at the latest, after the leader was killed: ${longestMs.toFixed(0)} ms\n`,
  );
});

test("a stream deleted and made anew under a reader that waits is noticed", async () => {
  await using server = await startNats();
  await using transport = await natsTransport({ servers: server.url, timeoutMs });
  await transport.declare(orders);
  await transport.append(appendOf(1), unaborted);
  await using reader = transport.reader(starts("orders", partitions));
  while ((await reader.fetch({ messages: 10, bytes: 1e6, waitMs: 100 }, unaborted)).atEnd.length < partitions);
  const waiting = waitForFailure(() => reader.fetch({ messages: 10, bytes: 1e6, waitMs: 60_000 }, unaborted));
  const admin = await connect({ servers: server.url });
  await (await jetstreamManager(admin)).streams.delete("orders");
  await admin.close();
  await transport.declare(orders);
  // Between the two there was no such stream.
  expect(["LOG_CHANGED", "TOPIC_UNKNOWN"]).toContain(await waiting);
  const [result] = await transport.append(appendOf(1), unaborted);
  const [bounds] = await transport.bounds("orders");
  expect(result).toMatchObject({ ok: true, logId: bounds!.logId });
});

test("a reader that is slow is kept bounded, and misses nothing", async () => {
  await using server = await startNats({ syncInterval: "2m" });
  await using transport = await natsTransport({ servers: server.url, ahead: { messages: 64, bytes: 16_384 } });
  await transport.declare(orders);
  await using reader = transport.reader(starts("orders", partitions));
  await reader.fetch({ messages: 1, bytes: 1e6, waitMs: 0 }, unaborted);
  const senders = startSenders(transport, "orders", partitions, 200);
  await eventually(() => senders.confirmed.every((n) => n >= 2_000));
  await senders.stop();
  const taken = nothingTaken(partitions);
  let largest = 0;
  while (taken.marks.some((mark, at) => mark < senders.confirmed[at]!)) {
    const { messages } = await reader.fetch({ messages: 10_000, bytes: 1e8, waitMs: 1_000 }, unaborted);
    largest = Math.max(largest, messages.length);
    take(taken, messages);
  }
  expect(taken.reread).toBe(0);
  expect(largest).toBeLessThanOrEqual(64);
});

test("retention that overtakes a reader which lies far behind stops it", async () => {
  await using server = await startNats({ syncInterval: "2m" });
  await using transport = await natsTransport({ servers: server.url, ahead: { messages: 8, bytes: 8_192 } });
  await transport.declare({ ...orders, retentionBytes: 200_000 });
  const grow = async (): Promise<void> => {
    const senders = startSenders(transport, "orders", partitions, 100);
    await eventually(() => senders.confirmed.every((n) => n >= 1_000));
    await senders.stop();
  };
  await grow();
  for (const few of [[0], [0, 1, 2, 3]]) {
    const from = starts("orders", partitions).filter(({ partition }) => few.includes(partition));
    await using reader = transport.reader(from);
    const { messages } = await reader.fetch({ messages: 4, bytes: 1e6, waitMs: 0 }, unaborted);
    expect(messages).toHaveLength(4);
    await grow();
    const failure = waitForFailure(() => reader.fetch({ messages: 100, bytes: 1e6, waitMs: 100 }, unaborted));
    expect(await failure).toBe("RETENTION_PASSED");
  }
});

test("a reader that begins while retention is at work begins at what is left", async () => {
  await using server = await startNats({ syncInterval: "2m" });
  await using transport = await natsTransport({ servers: server.url, ahead: { messages: 1 } });
  await transport.declare({ ...orders, retentionBytes: 100_000 });
  const senders = startSenders(transport, "orders", partitions, 100);
  await eventually(() => senders.confirmed.every((n) => n >= 1_000));
  for (let times = 0; times < 20; times++) {
    await using reader = transport.reader(starts("orders", partitions));
    const { messages } = await reader.fetch({ messages: 1, bytes: 1e6, waitMs: 0 }, unaborted);
    expect(messages).toHaveLength(1);
  }
  await senders.stop();
});

function appendOf(n: number): Parameters<Transport["append"]>[0] {
  const body = `{"n":${n}}`;
  const envelope = {
    id: `m-${n}`,
    type: "order.placed",
    schema: 1,
    subject: "s",
    key: "s",
    producer: "p",
    atMs: 1,
    correlation: "c",
    body,
  };
  return [{ topic: "orders", partition: 0, messages: [envelope] }];
}

/** Repeats a call until it fails with something that does not pass by itself; its code. */
async function waitForFailure(call: () => Promise<unknown>): Promise<string | undefined> {
  for (;;) {
    try {
      await call();
    } catch (error) {
      if (codeOf(error) !== "TRANSPORT_UNAVAILABLE") return codeOf(error);
    }
  }
}
