import { Admin } from "@platformatic/kafka";
import { freePort, startKafka, startProxy, type Proxy, type Server } from "@waybill/brokers";
import type { StoredMessage } from "@waybill/messaging";
import { kafkaTransport } from "@waybill/transport-kafka";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cutTail } from "./cut-tail.ts";
import { batchOf, fetchOn, readTopic, rejection, starts, takenOf, unaborted, untilStored } from "./steps.ts";

let server: Server;
/** What clients are told to connect to. */
let proxy: Proxy;

beforeAll(async () => {
  const port = await freePort();
  proxy = await startProxy({ host: "127.0.0.1", port });
  server = await startKafka({ port, advertisedPort: proxy.port });
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

test("a broker that is killed amid appends loses nothing acknowledged, and keeps the order of each partition", async () => {
  await using transport = await kafkaTransport({ bootstrap: proxy.url });
  await transport.declare({ name: "killed", partitions: 4, bytesMax: 100_000 });
  let restarted: Promise<void> | undefined;
  let failures = 0;
  for (let from = 1; from <= 6_000; from += 200) {
    const batches = [0, 1, 2, 3].map((partition) => batchOf("killed", partition, from, 200));
    const stored = untilStored(transport, batches);
    if (from === 2_001) restarted = server.kill().then(() => server.start());
    failures += await stored;
  }
  await restarted;
  const { marks } = takenOf(await readTopic(transport, "killed", 4));
  expect([...marks.values()]).toEqual([6_000, 6_000, 6_000, 6_000]);
  expect(failures).toBeGreaterThan(0);
});

test("a reader that waits is told when its broker dies, and reads on when it is back", async () => {
  await using transport = await kafkaTransport({ bootstrap: proxy.url });
  await transport.declare({ name: "waited", partitions: 2, bytesMax: 100_000 });
  await using reader = transport.reader(starts("waited", 2));
  while ((await fetchOn(reader)).atEnd.length < 2);
  const waiting = rejection(reader.fetch({ messages: 10, bytes: 1_000, waitMs: 60_000 }, unaborted));
  await server.kill();
  expect((await waiting).code).toBe("TRANSPORT_UNAVAILABLE");
  await server.start();
  // That it is at its end is told as soon as it is known again, not when something new has come.
  while ((await fetchOn(reader, 600_000)).atEnd.length < 2);
  await untilStored(transport, [batchOf("waited", 1, 1, 3)]);
  let found = 0;
  while (found < 3) found += (await fetchOn(reader)).messages.length;
});

test("a reader that is open while a log loses its end and goes on otherwise is told", async () => {
  await using transport = await kafkaTransport({ bootstrap: proxy.url });
  await transport.declare({ name: "lost", partitions: 1, bytesMax: 100_000 });
  await untilStored(transport, [batchOf("lost", 0, 1, 5)]);
  await using reader = transport.reader(starts("lost", 1));
  while ((await fetchOn(reader)).atEnd.length < 1);
  await server.stop();
  cutTail(`${server.folder}/data`, "lost", 0, 2);
  await server.start();
  await untilStored(transport, [batchOf("lost", 0, 11, 9)]);
  const error = await rejection(
    (async () => {
      for (;;) await fetchOn(reader);
    })(),
  );
  expect(error).toMatchObject({ code: "LOG_CHANGED", details: { topic: "lost", partition: 0 } });
});

test("a topic that is deleted or made anew under a reader that waits ends its wait", async () => {
  await using transport = await kafkaTransport({ bootstrap: proxy.url });
  const admin = new Admin({ clientId: "test", bootstrapBrokers: [proxy.url] });
  for (const name of ["deleted", "anew"]) await transport.declare({ name, partitions: 1, bytesMax: 100_000 });
  await untilStored(transport, [batchOf("anew", 0, 1, 3), batchOf("deleted", 0, 1, 3)]);
  const waits = ["deleted", "anew"].map(async (name) => {
    await using reader = transport.reader(starts(name, 1));
    for (;;) await fetchOn(reader, 60_000);
  });
  const errors = Promise.all(waits.map(rejection));
  await admin.deleteTopics({ topics: ["deleted", "anew"] });
  await using other = await kafkaTransport({ bootstrap: proxy.url });
  await other.declare({ name: "anew", partitions: 1, bytesMax: 100_000 });
  const [deleted, anew] = await errors;
  expect(deleted!.code).toBe("TOPIC_UNKNOWN");
  // Between the one and the other there is none.
  expect(anew!.code).toBeOneOf(["TOPIC_UNKNOWN", "LOG_CHANGED"]);
  await admin.close();
});

test("a connection that hangs fails appends and fetches by their deadlines; both go on when it does", async () => {
  await using transport = await kafkaTransport({ bootstrap: proxy.url, requestMs: 700 });
  await transport.declare({ name: "frozen", partitions: 2, bytesMax: 100_000 });
  await using reader = transport.reader(starts("frozen", 2));
  while ((await fetchOn(reader)).atEnd.length < 2);
  proxy.freeze();
  const waiting = rejection(reader.fetch({ messages: 10, bytes: 1_000, waitMs: 60_000 }, unaborted));
  const [failed] = await transport.append([batchOf("frozen", 0, 1, 3)], unaborted);
  expect(failed).toMatchObject({ ok: false, error: { code: "TRANSPORT_UNAVAILABLE" } });
  expect((await waiting).code).toBe("TRANSPORT_UNAVAILABLE");
  expect((await rejection(transport.bounds("frozen"))).code).toBe("TRANSPORT_UNAVAILABLE");
  proxy.thaw();
  await untilStored(transport, [batchOf("frozen", 0, 1, 3)]);
  proxy.cut();
  await untilStored(transport, [batchOf("frozen", 1, 1, 3)]);
  const found: StoredMessage[] = [];
  while (takenOf(found).marks.size < 2) found.push(...(await fetchOn(reader)).messages);
});
