import { faultyStore, faultyTransport } from "@waybill/conformance";
import { memoryStore, memoryTransport, testWorld } from "@waybill/memory";
import { codeOf, type AppendResult, type Transport } from "@waybill/messaging";
import { expect, test } from "vitest";
import { batch, id, owned, refusal, state } from "../src/store-fixture.ts";
import { ids, messages, readAll, spec, unaborted } from "../src/transport-fixture.ts";

async function logs(): Promise<Transport> {
  const transport = memoryTransport({ world: testWorld() });
  await transport.declare(spec("orders"));
  return transport;
}

async function appendBoth(transport: Transport): Promise<readonly AppendResult[]> {
  const destination = (partition: number) => ({ topic: "orders", partition, messages: messages(1, 4) });
  return await transport.append([destination(0), destination(1)], unaborted);
}

const ends = (results: readonly AppendResult[]) => results.map((result) => (result.ok ? "stored" : result.error.code));

test("an append that fails stores nothing there and all of the other destination", async () => {
  const inner = await logs();
  const line = faultyTransport(inner, { append: ({ partition }) => (partition === 0 ? { kind: "fail" } : undefined) });
  expect(ends(await appendBoth(line))).toEqual(["TRANSPORT_UNAVAILABLE", "stored"]);
  expect(ids(await readAll(inner, "orders", 0))).toEqual([]);
  expect(ids(await readAll(inner, "orders", 1))).toEqual(ids(messages(1, 4)));
});

test("an append whose answer is lost stores all and says that it may not have", async () => {
  const inner = await logs();
  const line = faultyTransport(inner, { append: () => ({ kind: "lose-answer" }) });
  expect(ends(await appendBoth(line))).toEqual(["TRANSPORT_UNAVAILABLE", "TRANSPORT_UNAVAILABLE"]);
  expect(ids(await readAll(inner, "orders", 1))).toEqual(ids(messages(1, 4)));
});

test("an append stored in part stores its first messages", async () => {
  const inner = await logs();
  const line = faultyTransport(inner, { append: ({ partition }) => ({ kind: "part", count: partition * 2 }) });
  expect(ends(await appendBoth(line))).toEqual(["TRANSPORT_UNAVAILABLE", "TRANSPORT_UNAVAILABLE"]);
  expect(ids(await readAll(inner, "orders", 0))).toEqual([]);
  expect(ids(await readAll(inner, "orders", 1))).toEqual(["m-1", "m-2"]);
});

test("a delayed append is made when its time has come", async () => {
  const inner = await logs();
  const gate = Promise.withResolvers<void>();
  const line = faultyTransport(inner, { append: () => ({ kind: "delay", until: () => gate.promise }) });
  const appending = appendBoth(line);
  expect(await readAll(inner, "orders")).toEqual([]);
  gate.resolve();
  expect(ends(await appending)).toEqual(["stored", "stored"]);
  expect(await readAll(inner, "orders")).toHaveLength(4);
});

test("a fetch that fails takes nothing", async () => {
  const inner = await logs();
  await appendBoth(inner);
  let failing = true;
  const line = faultyTransport(inner, { fetch: () => (failing ? { kind: "fail" } : undefined) });
  await using reader = line.reader([{ topic: "orders", partition: 0, logId: "", nextOffset: 0 }]);
  const limits = { messages: 10, bytes: 1e6, waitMs: 0 };
  expect(codeOf(await reader.fetch(limits, unaborted).catch((error: unknown) => error))).toBe("TRANSPORT_UNAVAILABLE");
  failing = false;
  expect((await reader.fetch(limits, unaborted)).messages).toHaveLength(4);
});

test("a store that is unavailable has kept nothing, and says so of commits and of calls", async () => {
  const inner = memoryStore({ world: testWorld() });
  const row = await owned(inner);
  const line = faultyStore(inner, {
    commit: () => ({ kind: "unavailable" }),
    call: (name) => (name === "lane" ? { kind: "unavailable" } : undefined),
  });
  expect(await refusal(line, batch(row, { states: [state("1", 1)] }))).toBe("STORE_UNAVAILABLE");
  expect(codeOf(await line.lane(id(0)).catch((error: unknown) => error))).toBe("STORE_UNAVAILABLE");
  expect(await line.load("orders", [{ kind: "order", id: "1" }])).toEqual([]);
  expect(await inner.lane(id(0))).toEqual(row);
});

test("a refusal is told as it is, although the answer was to be lost", async () => {
  const inner = memoryStore({ world: testWorld() });
  const row = await owned(inner);
  const line = faultyStore(inner, { commit: () => ({ kind: "unknown-done" }) });
  expect(await refusal(line, batch(row, { states: [state("1", 5)] }))).toBe("STATE_CONFLICT");
});

test("a batch may be refused, and a late one is applied before it is durable", async () => {
  const inner = memoryStore({ world: testWorld() });
  const row = await owned(inner);
  expect(await refusal(faultyStore(inner, { commit: () => ({ kind: "refused" }) }), batch(row))).toBe("BATCH_REFUSED");
  const gate = Promise.withResolvers<void>();
  const line = faultyStore(inner, { commit: () => ({ kind: "late", until: () => gate.promise }) });
  const { applied, durable } = line.commit(batch(row, { states: [state("1", 1)] }));
  await applied;
  expect(await line.load("orders", [{ kind: "order", id: "1" }])).toHaveLength(1);
  expect(
    await Promise.race([durable.then(() => "durable"), new Promise((done) => setImmediate(done, "waiting"))]),
  ).toBe("waiting");
  gate.resolve();
  await durable;
});
