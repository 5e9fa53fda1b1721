import { Admin, ConfigResourceTypes, Producer } from "@platformatic/kafka";
import { sharedKafka } from "@waybill/brokers";
import type { Envelope, TopicSpec } from "@waybill/messaging";
import { kafkaTransport, type KafkaTransport } from "@waybill/transport-kafka";
import { afterAll, beforeAll, expect, test } from "vitest";
import { batchOf, fetchOn, message, readTopic, rejection, starts, unaborted, untilStored } from "./steps.ts";

let bootstrap: string;
let transport: KafkaTransport;
let admin: Admin;

beforeAll(async () => {
  bootstrap = await sharedKafka();
  transport = await kafkaTransport({ bootstrap });
  admin = new Admin({ clientId: "test", bootstrapBrokers: [bootstrap], retries: 20, retryDelay: 50 });
});

afterAll(async () => {
  await admin.close();
  await transport[Symbol.asyncDispose]();
});

function specOf(change: Partial<TopicSpec> = {}): TopicSpec {
  return { name: `kafka-${crypto.randomUUID()}`, partitions: 2, bytesMax: 100_000, ...change };
}

test("a topic is made with what its declaration says, and is inspected as it is", async () => {
  const spec = specOf({ retentionMs: 86_400_000, retentionBytes: 2_000_000, compression: "zstd" });
  await transport.declare(spec);
  const { version, brokers, topics } = await transport.inspect([spec.name]);
  expect(Number.parseFloat(version)).toBeGreaterThanOrEqual(4);
  expect(brokers).toHaveLength(1);
  expect(topics[0]).toMatchObject({
    name: spec.name,
    partitions: 2,
    replicas: 1,
    minInSync: 1,
    uncleanElection: false,
    cleanup: "delete",
    retentionMs: 86_400_000,
    retentionBytesPerPartition: 1_000_000,
    bytesMax: 100_000,
    compression: "zstd",
    flushMessages: undefined,
    flushMs: undefined,
    inSync: [
      { partition: 0, leader: brokers[0]!.id, replicas: 1, inSync: 1 },
      { partition: 1, leader: brokers[0]!.id, replicas: 1, inSync: 1 },
    ],
  });
});

test("what Kafka cannot do is refused, with the setting's name", async () => {
  const memory = await rejection(transport.declare(specOf({ storage: "memory" })));
  expect(memory).toMatchObject({ code: "CONTRACT_INVALID", details: { setting: "storage" } });
  const replicas = await rejection(transport.declare(specOf({ replicas: 3 })));
  expect(replicas).toMatchObject({ code: "CONTRACT_INVALID", details: { setting: "replicas" } });
});

test("a topic that others made otherwise is refused, with both values", async () => {
  const spec = specOf({ compression: "lz4" });
  await transport.declare(spec);
  const other = await rejection(transport.declare({ ...spec, compression: "zstd" }));
  expect(other).toMatchObject({ code: "TOPIC_MISMATCH", details: { found: "lz4", declared: "zstd" } });
  await admin.incrementalAlterConfigs({
    resources: [
      {
        resourceType: ConfigResourceTypes.TOPIC,
        resourceName: spec.name,
        configs: [{ name: "cleanup.policy", configOperation: 0, value: "compact" }],
      },
    ],
  });
  const compacted = await rejection(transport.declare(spec));
  expect(compacted).toMatchObject({ code: "TOPIC_MISMATCH", details: { found: "compact", declared: "delete" } });
  expect((await rejection(transport.declare({ ...spec, replicas: 2 }))).message).toContain("replicas 1");
});

for (const compression of ["lz4", "zstd"] as const) {
  test(`what is packed with ${compression} lies in the log so, and comes back as it was`, async () => {
    const packed = specOf({ compression });
    const plain = specOf();
    for (const spec of [packed, plain]) {
      await transport.declare(spec);
      await untilStored(transport, [batchOf(spec.name, 0, 1, 700), batchOf(spec.name, 1, 1, 1)]);
    }
    const bytes = async ({ name }: TopicSpec): Promise<number> => (await transport.bounds(name))[0]!.bytes;
    expect(await bytes(packed)).toBeLessThan((await bytes(plain)) / 2);
    const found = await readTopic(transport, packed.name, 2);
    const wanted = [...batchOf("", 0, 1, 700).messages, message(1, 1)];
    const bodies = (list: readonly Envelope[]): string[] => list.map(({ id, body }) => `${id} ${body as string}`);
    expect(bodies(found).toSorted()).toEqual(bodies(wanted).toSorted());
    const at = found.find(({ id }) => id === "p0-333")!;
    expect((await transport.read(packed.name, 0, at.offset))?.id).toBe("p0-333");
  });
}

test("more than a batch holds is stored in several, in order", async () => {
  const spec = specOf({ bytesMax: 600_000 });
  await transport.declare(spec);
  const messages = Array.from({ length: 6 }, (_, at) => ({ ...message(at + 1), body: String(at).repeat(500_000) }));
  const [result] = await transport.append([{ topic: spec.name, partition: 0, messages }], unaborted);
  expect(result).toMatchObject({ ok: true, firstOffset: 0, lastOffset: 5 });
  expect((await readTopic(transport, spec.name, 2)).map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
});

test("several appends to one partition at once are each stored in order, and told where", async () => {
  const spec = specOf();
  await transport.declare(spec);
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, at) => transport.append([batchOf(spec.name, 0, at * 10 + 1, 10)], unaborted)),
  );
  for (const [at, [result]] of results.entries()) {
    const { ok, ...where } = result!;
    expect(ok).toBe(true);
    const { firstOffset, lastOffset } = where as { firstOffset: number; lastOffset: number };
    expect((await transport.read(spec.name, 0, firstOffset))?.id).toBe(`p0-${at * 10 + 1}`);
    expect((await transport.read(spec.name, 0, lastOffset))?.id).toBe(`p0-${at * 10 + 10}`);
  }
});

test("what others write in transactions is read when they commit, and never when they give up", async () => {
  const spec = specOf({ partitions: 1 });
  await transport.declare(spec);
  const producer = new Producer({
    clientId: "test",
    bootstrapBrokers: [bootstrap],
    transactionalId: spec.name,
    idempotent: true,
    retries: 20,
    retryDelay: 50,
  });
  const send = async (id: string, commits: boolean): Promise<void> => {
    const transaction = await producer.beginTransaction();
    await transaction.send({
      messages: [{ topic: spec.name, partition: 0, value: Buffer.from("{}"), headers: eventOf(id) }],
    });
    await (commits ? transaction.commit() : transaction.abort());
  };
  await using reader = transport.reader(starts(spec.name, 1));
  await send("given-up-1", false);
  await send("kept-1", true);
  await untilStored(transport, [batchOf(spec.name, 0, 1, 1)]);
  await send("given-up-2", false);
  const open = await producer.beginTransaction();
  await open.send({
    messages: [{ topic: spec.name, partition: 0, value: Buffer.from("{}"), headers: eventOf("kept-2") }],
  });
  await untilStored(transport, [batchOf(spec.name, 0, 2, 1)]);
  const found: string[] = [];
  while (found.length < 2) found.push(...(await fetchOn(reader)).messages.map(({ id }) => id));
  expect(found).toEqual(["kept-1", "p0-1"]);
  // What stands behind an open transaction is not known yet, and so this is not the end.
  expect((await fetchOn(reader, 0)).atEnd).toEqual([]);
  await open.commit();
  while (found.length < 4) found.push(...(await fetchOn(reader)).messages.map(({ id }) => id));
  expect(found.slice(2)).toEqual(["kept-2", "p0-2"]);
  await producer.close();
});

test("a message from another language needs four attributes; its key and the time of storing do for the rest", async () => {
  const spec = specOf({ partitions: 1 });
  await transport.declare(spec);
  const producer = new Producer({ clientId: "test", bootstrapBrokers: [bootstrap] });
  const before = Date.now();
  await producer.send({
    messages: [{ topic: spec.name, key: Buffer.from("order-7"), value: Buffer.from("{}"), headers: eventOf("theirs") }],
    acks: -1,
  });
  await producer.close();
  const [found] = await readTopic(transport, spec.name, 1);
  expect(found).toMatchObject({ id: "theirs", type: "order.place", producer: "python", schema: 1, key: "order-7" });
  expect(found!.atMs).toBeGreaterThanOrEqual(before);
  expect(found!.stamp).toBeUndefined();
});

test("what is reported is what Kafka's own tools show of a group", async () => {
  const spec = specOf();
  await transport.declare(spec);
  const positions = starts(spec.name, 2).map((position) => ({ ...position, nextOffset: 5 + position.partition }));
  await transport.report(
    "billing",
    positions.map((position) => ({ ...position, nextOffset: 1 })),
  );
  await transport.report("billing", positions);
  const wanted = positions.map(({ partition, nextOffset }) => [partition, BigInt(nextOffset)]);
  await expect
    .poll(
      async () => {
        const [group] = await admin.listConsumerGroupOffsets({ groups: ["billing"] });
        const topic = group?.topics.find(({ name }) => name === spec.name);
        return topic?.partitions.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset]);
      },
      { timeout: 20_000 },
    )
    .toEqual(wanted);
});

function eventOf(id: string): Map<Buffer, Buffer> {
  const attributes = { ce_specversion: "1.0", ce_id: id, ce_source: "python", ce_type: "order.place" };
  return new Map(Object.entries(attributes).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]));
}
