import { expect, test } from "vitest";
import { startKafkaCluster, startNatsCluster } from "@waybill/brokers";
import { kafkaNotes, natsNotes } from "./clients.ts";

test("three NATS servers go on without one, and have it back", async () => {
  await using cluster = await startNatsCluster();
  expect(cluster.url.split(",")).toEqual(cluster.servers.map(({ url }) => url));
  await using notes = await natsNotes(cluster.url, undefined, 3);
  await notes.write("one");
  await cluster.servers[0]!.kill();
  await notes.write("two");
  await cluster.servers[0]!.start();
  await cluster.servers[1]!.kill();
  await notes.write("three");
  expect(await notes.count()).toBe(3);
});

test("three Kafka brokers go on without one, and have it back", async () => {
  await using cluster = await startKafkaCluster({
    properties: { "broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 500 },
  });
  await using notes = await kafkaNotes(cluster.url);
  await notes.write("one");
  await cluster.servers[0]!.kill();
  await using others = await kafkaNotes(
    cluster.servers
      .slice(1)
      .map(({ url }) => url)
      .join(),
  );
  await others.write("two");
  await cluster.servers[0]!.start();
  expect(await others.count()).toBe(2);
});
