import { Admin, ListOffsetTimestamps, Producer } from "@platformatic/kafka";
import type { Server } from "@waybill/brokers";
import type { TransportUnderTest } from "@waybill/conformance";
import type { TopicSpec, Transport } from "@waybill/messaging";
import { kafkaTransport, type KafkaTransportOptions } from "@waybill/transport-kafka";
import { cutTail } from "./cut-tail.ts";

/** A transport to a server that is this test's alone, with what a test may do to its logs behind its back. */
export async function underTest(
  server: Server,
  options: Partial<KafkaTransportOptions> = {},
): Promise<TransportUnderTest> {
  const specs = new Map<string, TopicSpec>();
  const open = (): Promise<Transport> => kafkaTransport({ bootstrap: server.url, ...options });
  let inner = await open();
  const admin = new Admin({ clientId: "test", bootstrapBrokers: [server.url], retries: 20, retryDelay: 50 });

  return {
    transport: noting(specs, () => inner),
    async reopen() {
      await inner[Symbol.asyncDispose]();
      inner = await open();
      return inner;
    },
    async recreate(topic) {
      await remove(admin, [topic]);
      await using other = await open();
      await other.declare(specs.get(topic)!);
    },
    async dropBefore(topic, partition, offset) {
      await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset: BigInt(offset) }] }] });
    },
    async loseTail(topic, partition, count) {
      await server.stop();
      cutTail(`${server.folder}/data`, topic, partition, count);
      await server.start();
    },
    leaveHole: (topic, partition) => leaveHole(server, admin, topic, partition),
    appendUnreadable: (topic, partition, body) => appendUnreadable(server, topic, partition, body),
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    async [Symbol.asyncDispose]() {
      await inner[Symbol.asyncDispose]();
      await remove(
        admin,
        (await admin.listTopics()).filter((topic) => specs.has(topic)),
      );
      await admin.close();
    },
  };
}

/** Deletes topics; resolves when the broker that clients ask has heard of it. */
async function remove(admin: Admin, topics: string[]): Promise<void> {
  if (topics.length > 0) await admin.deleteTopics({ topics });
  while ((await admin.listTopics()).some((topic) => topics.includes(topic)));
}

/** Notes what is declared, so that a topic can be made anew as it was. */
function noting(specs: Map<string, TopicSpec>, to: () => Transport): Transport {
  return {
    name: "kafka",
    async declare(topic) {
      await to().declare(topic);
      specs.set(topic.name, topic);
    },
    append: (batches, signal) => to().append(batches, signal),
    reader: (from) => to().reader(from),
    read: (topic, partition, offset) => to().read(topic, partition, offset),
    bounds: (topic, atMs) => to().bounds(topic, atMs),
    report: (service, positions) => to().report(service, positions),
    [Symbol.asyncDispose]: () => to()[Symbol.asyncDispose](),
  };
}

/** A transaction that is given up: what it wrote and its mark take offsets, and are no messages. */
export async function leaveHole(server: Server, admin: Admin, topic: string, partition: number): Promise<void> {
  const before = await endOf(admin, topic, partition, "READ_UNCOMMITTED");
  const producer = new Producer({
    clientId: "test",
    bootstrapBrokers: [server.url],
    transactionalId: `test-${crypto.randomUUID()}`,
    idempotent: true,
    retries: 20,
    retryDelay: 50,
  });
  const transaction = await producer.beginTransaction();
  await transaction.send({ messages: [{ topic, partition, value: Buffer.from("given up") }] });
  await transaction.abort();
  await producer.close();
  // The mark is written a moment after the producer was told.
  for (;;) {
    const stable = await endOf(admin, topic, partition, "READ_COMMITTED");
    const end = await endOf(admin, topic, partition, "READ_UNCOMMITTED");
    if (end >= before + 2n && stable === end) return;
  }
}

async function endOf(
  admin: Admin,
  topic: string,
  partition: number,
  isolation: "READ_COMMITTED" | "READ_UNCOMMITTED",
): Promise<bigint> {
  const [listed] = await admin.listOffsets({
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: ListOffsetTimestamps.LATEST }] }],
    isolationLevel: isolation === "READ_COMMITTED" ? 1 : 0,
  });
  return listed!.partitions[0]!.offset;
}

async function appendUnreadable(server: Server, topic: string, partition: number, body: Uint8Array): Promise<void> {
  const producer = new Producer({ clientId: "test", bootstrapBrokers: [server.url], retries: 20, retryDelay: 50 });
  await producer.send({ messages: [{ topic, partition, value: Buffer.from(body) }], acks: -1 });
  await producer.close();
}
