import { startKafkaCluster, type Cluster } from "@waybill/brokers";
import { kafkaTransport } from "@waybill/transport-kafka";
import { afterAll, beforeAll, expect, test } from "vitest";
import { batchOf, fetchOn, readTopic, starts, takenOf, untilStored } from "./steps.ts";
import type { StoredMessage } from "@waybill/messaging";

let cluster: Cluster;

beforeAll(async () => {
  // A broker that is silent for so long is taken to be dead: the shortest pause that an election takes.
  const properties = { "broker.session.timeout.ms": 3_000, "broker.heartbeat.interval.ms": 500 };
  cluster = await startKafkaCluster({ heapMb: 256, properties });
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

test("a leader killed twice costs nothing acknowledged, no order, and no reader its place", async () => {
  await using transport = await kafkaTransport({ bootstrap: cluster.url });
  const topic = "elected";
  await transport.declare({ name: topic, partitions: 6, bytesMax: 100_000, replicas: 3 });
  await using reader = transport.reader(starts(topic, 6));
  const read: StoredMessage[] = [];
  const last = 8_000;
  const reading = (async () => {
    while (lowest(takenOf(read).marks, 6) < last) read.push(...(await fetchOn(reader)).messages);
  })();
  const kills = new Set([1_601, 4_801]);
  const restarts: Promise<void>[] = [];
  let longestMs = 0;
  for (let from = 1; from <= last; from += 200) {
    if (kills.has(from)) {
      const victim = await leaderOf(transport, topic);
      await restarts.at(-1);
      restarts.push(cluster.servers[victim - 1]!.kill().then(() => cluster.servers[victim - 1]!.start()));
    }
    const partitions = [0, 1, 2, 3, 4, 5];
    const beganMs = performance.now();
    await untilStored(
      transport,
      partitions.map((partition) => batchOf(topic, partition, from, 200)),
    );
    longestMs = Math.max(longestMs, performance.now() - beganMs);
  }
  await reading;
  await Promise.all(restarts);
  const { marks } = takenOf(await readTopic(transport, topic, 6));
  expect([...marks.values()]).toEqual(Array(6).fill(last));
  process.stdout.write(
    `kafka: longest without progress while the leader was killed twice: ${longestMs.toFixed(0)} ms\n`,
  );
});

async function leaderOf(transport: Awaited<ReturnType<typeof kafkaTransport>>, topic: string): Promise<number> {
  const { topics } = await transport.inspect([topic]);
  return topics[0]!.inSync[0]!.leader;
}

function lowest(marks: ReadonlyMap<number, number>, partitions: number): number {
  return marks.size < partitions ? 0 : Math.min(...marks.values());
}
