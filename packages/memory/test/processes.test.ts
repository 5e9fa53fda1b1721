import { memoryStore, memoryTransport, testWorld } from "@waybill/memory";
import { bareBatch, codeOf, type LaneId, type OutgoingMessage } from "@waybill/messaging";
import { expect, test } from "vitest";

const lane: LaneId = { service: "orders", lane: 0, lanes: 1 };
const topic = { name: "orders", partitions: 1, bytesMax: 1000 };
const start = { topic: "orders", partition: 0, logId: "", nextOffset: 0 };
const member = { id: "a", host: "host", services: ["orders"], level: 1 };
const signal = new AbortController().signal;

async function codeFrom(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => "done",
    (error: unknown) => codeOf(error),
  );
}

test("a killed process can call nothing more, and the others go on", async () => {
  const world = testWorld();
  const database = memoryStore({ world });
  const logs = memoryTransport({ world });
  const [store, transport] = [database.handle(), logs.handle()];
  await store.declare("orders", 1, world.newId);
  await transport.declare(topic);
  const reader = transport.reader([start]);
  store.kill();
  transport.kill();
  expect(await codeFrom(store.lane(lane))).toBe("CLOSED");
  expect(await codeFrom(transport.bounds("orders"))).toBe("CLOSED");
  expect(await codeFrom(reader.fetch({ messages: 1, bytes: 1, waitMs: 0 }, signal))).toBe("CLOSED");
  expect(await codeFrom(database.handle().lane(lane))).toBe("done");
  expect(await codeFrom(logs.handle().bounds("orders"))).toBe("done");
});

test("a fetch that waits in a killed process ends with CLOSED", async () => {
  const world = testWorld();
  const logs = memoryTransport({ world });
  const transport = logs.handle();
  await transport.declare(topic);
  const waiting = codeFrom(transport.reader([start]).fetch({ messages: 1, bytes: 1, waitMs: 1000 }, signal));
  transport.kill();
  expect(await waiting).toBe("CLOSED");
  expect(world.sleepers()).toBe(0);
});

test("a restored database is as it was, however often it is restored, and its clock goes on", async () => {
  const world = testWorld();
  const store = memoryStore({ world });
  await store.declare("orders", 1, world.newId);
  await store.join(member, 60_000);
  const early = await store.claim(lane, "a", 1, 0);
  const snapshot = store.snapshot();
  for (let time = 1; time <= 2; time++) {
    await store.mark(lane, 1, { source: `after the snapshot, ${time}` });
    await world.advance(1000);
    const nowMs = store.nowMs();
    store.restore(snapshot);
    expect(await store.lane(lane)).toEqual(early);
    expect(store.nowMs()).toBe(nowMs);
  }
});

test("the clock can be set, and time that is set back brings nobody back who left", async () => {
  const world = testWorld();
  const store = memoryStore({ world, nowMs: 5000 });
  await store.declare("orders", 1, world.newId);
  await store.join(member, 100);
  store.setNow(5100);
  expect(await store.renew("a", 100)).toBe(false);
  await world.advance(50);
  expect(store.nowMs()).toBe(5150);
  await store.leave("a");
  store.setNow(5000);
  expect((await store.survey(["orders"])).members).toEqual([]);
});

test("an unknown service or another number of lanes is refused by name", async () => {
  const world = testWorld();
  const store = memoryStore({ world });
  expect(await codeFrom(store.lane(lane))).toBe("CONTRACT_INVALID");
  await store.declare("orders", 1, world.newId);
  await expect(store.lane({ ...lane, lanes: 4 })).rejects.toThrow('Service "orders" has 1 lanes here; lane 0 of 4');
});

test("a batch with a message that a log in the store does not take is refused whole", async () => {
  const world = testWorld();
  const logs = memoryTransport({ world });
  const store = memoryStore({ world, logs });
  await logs.declare(topic);
  await store.declare("orders", 1, world.newId);
  await store.join(member, 60_000);
  const row = (await store.claim(lane, "a", 1, 0))!;
  const fits = message("fits");
  const refused = [message("large", { body: "x".repeat(2000) }), message("elsewhere", { partition: 7 })];
  for (const bad of refused) {
    const { epoch, batch, timeMs, level } = row;
    const { applied } = store.commit(bareBatch(lane, { epoch, batch, timeMs, level, messages: [fits, bad] }));
    expect(await codeFrom(applied)).toBe("BATCH_REFUSED");
    expect(await store.lane(lane)).toEqual(row);
    expect((await logs.bounds("orders"))[0]!.nextOffset).toBe(0);
  }
});

function message(name: string, change: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const names = { id: name, type: "order.placed", subject: name, key: name, producer: "orders", correlation: name };
  const stamp = { source: "source-1", n: 1, prev: 0 };
  return { ...names, topic: "orders", partition: 0, schema: 1, atMs: 1, stamp, body: "{}", ...change };
}
