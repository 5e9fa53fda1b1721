import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNats } from "@waybill/brokers";
import type { TopicSpec } from "@waybill/messaging";
import { natsTransport } from "@waybill/transport-nats";
import { connect } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { expect, test } from "vitest";
import { message, nothingTaken, range, readUntil, starts, unaborted } from "./traffic.ts";

const orders: TopicSpec = { name: "orders", partitions: 4, bytesMax: 100_000 };

test("a name and password, or a token, open the door; wrong ones are refused with the reason", async () => {
  await using server = await startNats({ user: { name: "shop", password: "secret" } });
  await using transport = await natsTransport({ servers: server.url, user: "shop", password: "secret" });
  await transport.declare(orders);
  const url = server.url.replace("nats://", "nats://shop:secret@");
  await using byUrl = await natsTransport({ servers: url });
  expect(await byUrl.bounds("orders")).toHaveLength(4);
  const refused = natsTransport({ servers: server.url, user: "shop", password: "guess" });
  await expect(refused).rejects.toMatchObject({
    code: "TRANSPORT_UNAVAILABLE",
    message: expect.stringMatching(/authori[sz]ation/i) as string,
  });
  await using other = await startNats({ token: "t0ken" });
  await using byToken = await natsTransport({ servers: other.url, token: "t0ken" });
  await byToken.declare(orders);
});

test("no error tells a password", async () => {
  const error = await natsTransport({ servers: "nats://shop:secret@127.0.0.1:1", timeoutMs: 500 }).catch(
    (reason: unknown) => reason,
  );
  expect(JSON.stringify([error, String(error)])).not.toContain("secret");
});

test("TLS is spoken where it is asked for, with the authority that is named", async () => {
  await using server = await startNats({ tls: "mutual" });
  const { ca, clientCertificate, clientKey } = server.certificates!;
  const tls = { caFile: ca, certFile: clientCertificate, keyFile: clientKey };
  await using transport = await natsTransport({ servers: server.url, tls });
  await transport.declare(orders);
  expect((await transport.inspect(["orders"])).server.tls).toBe(true);
  await expect(natsTransport({ servers: server.url, timeoutMs: 2_000 })).rejects.toMatchObject({
    code: "TRANSPORT_UNAVAILABLE",
  });
});

test("a server's smaller limit for batches is learned from its refusal", async () => {
  const folder = mkdtempSync(join(tmpdir(), "waybill-nats-limits-"));
  try {
    const store = JSON.stringify(join(folder, "limited"));
    const config = `jetstream { store_dir: ${store}, limits { batch { max_msgs: 100 } } }`;
    await using server = await startNats({ folder, config });
    await using transport = await natsTransport({ servers: server.url });
    await transport.declare(orders);
    const append = { topic: "orders", partition: 0, messages: range(1, 250).map((n) => message(0, n)) };
    const [first] = await transport.append([append], unaborted);
    expect(first).toMatchObject({
      ok: false,
      error: { code: "TRANSPORT_UNAVAILABLE", message: expect.stringContaining("100") as string },
    });
    const [second] = await transport.append([append], unaborted);
    expect(second).toMatchObject({ ok: true });
    expect((await transport.read("orders", 0, 250))?.id).toBe("0-250");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("more destinations than one batch may have messages are stored, each in order", async () => {
  await using server = await startNats({ syncInterval: "2m" });
  await using transport = await natsTransport({ servers: server.url });
  await transport.declare(orders);
  const batches = range(0, 3).map((partition) => ({
    topic: "orders",
    partition,
    messages: range(1, 1_700).map((n) => message(partition, n)),
  }));
  const results = await transport.append(batches, unaborted);
  for (const [partition, result] of results.entries()) {
    if (!result.ok) throw result.error;
    expect((await transport.read("orders", partition, result.firstOffset))?.id).toBe(`${partition}-1`);
    expect((await transport.read("orders", partition, result.lastOffset))?.id).toBe(`${partition}-1700`);
  }
  const taken = nothingTaken(4);
  await readUntil(transport, "orders", taken, () => taken.marks.every((mark) => mark === 1_700));
  expect(taken.repeats).toBe(0);
});

test("a stream has what its topic declares, and a client can look it up", async () => {
  await using server = await startNats();
  await using transport = await natsTransport({ servers: server.url });
  const spec: TopicSpec = {
    ...orders,
    retentionMs: 86_400_000,
    retentionBytes: 10_000_000,
    storage: "memory",
    compression: "none",
    replicas: 1,
  };
  await transport.declare(spec);
  const { server: said, streams } = await transport.inspect(["orders"]);
  expect(said).toMatchObject({
    version: expect.stringMatching(/^2\.\d+/) as string,
    cluster: undefined,
    syncInterval: "not visible to a client",
  });
  expect(streams).toMatchObject([
    {
      topic: "orders",
      partitions: 4,
      replicas: 1,
      storage: "memory",
      retentionMs: 86_400_000,
      retentionBytes: 10_000_000,
      discard: "old",
      atomicBatches: true,
    },
  ]);
  await expect(transport.declare({ ...spec, storage: "file" })).rejects.toMatchObject({
    code: "TOPIC_MISMATCH",
    message: expect.stringContaining("storage") as string,
  });
});

test("what a server cannot keep is refused before anything is written", async () => {
  await using server = await startNats({ maxPayloadBytes: 50_000 });
  await using transport = await natsTransport({ servers: server.url });
  await expect(transport.declare(orders)).rejects.toMatchObject({
    code: "CONTRACT_INVALID",
    message: expect.stringContaining("max_payload") as string,
  });
  await expect(transport.declare({ ...orders, bytesMax: 10_000, replicas: 3 })).rejects.toMatchObject({
    code: "CONTRACT_INVALID",
    message: expect.stringContaining("replicas") as string,
  });
});

test("a stream that is none of ours is not taken for a topic", async () => {
  await using server = await startNats();
  await using transport = await natsTransport({ servers: server.url });
  const admin = await connect({ servers: server.url });
  await (await jetstreamManager(admin)).streams.add({ name: "orders", subjects: ["orders.>"] });
  await expect(transport.declare(orders)).rejects.toMatchObject({ code: "TOPIC_MISMATCH" });
  await expect(transport.bounds("orders")).rejects.toMatchObject({ code: "TOPIC_MISMATCH" });
  await admin.close();
});

test("a message to a partition that does not exist is refused by the server itself", async () => {
  await using server = await startNats();
  await using transport = await natsTransport({ servers: server.url });
  await transport.declare(orders);
  const admin = await connect({ servers: server.url });
  await expect(admin.request("orders.4.order.placed", "{}", { timeout: 2_000 })).rejects.toThrow(/no responders/i);
  await admin.close();
});

test("progress is shown as a consumer's lag, and closing leaves no consumer of a reader behind", async () => {
  await using server = await startNats();
  await using transport = await natsTransport({ servers: server.url });
  await transport.declare(orders);
  await transport.append(
    [{ topic: "orders", partition: 2, messages: range(1, 10).map((n) => message(2, n)) }],
    unaborted,
  );
  const admin = await connect({ servers: server.url });
  const manager = await jetstreamManager(admin);
  const reader = transport.reader(starts("orders", 4));
  const { next } = await reader.fetch({ messages: 4, bytes: 1e6, waitMs: 1_000 }, unaborted);
  await transport.report("billing", next);
  await reader[Symbol.asyncDispose]();
  expect((await manager.consumers.info("orders", "service-billing")).num_pending).toBe(6);
  const names = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { name } of manager.consumers.list("orders")) found.push(name);
    return found;
  };
  while ((await names()).length > 1);
  expect(await names()).toEqual(["service-billing"]);
  await admin.close();
});
