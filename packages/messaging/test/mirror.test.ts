import { array, assert, asyncProperty, constantFrom, integer, record } from "fast-check";
import { expect, test } from "vitest";
import { faultyStore, faultyTransport, rolledStorePlan, rolledTransportPlan } from "@waybill/conformance";
import { dice, memoryStore, memoryTransport, testWorld, type TestWorld } from "@waybill/memory";
import { startWorker, type Envelope, type Transport, type Worker, type WorkerOptions } from "@waybill/messaging";

const partitions = 2;
const topic = "events";

/** Two brokers and a database, and processes that copy a topic from the one to the other. */
async function open() {
  const world = testWorld();
  const store = memoryStore({ world });
  const from = memoryTransport({ world, name: "near" });
  const to = memoryTransport({ world, name: "far" });
  for (const broker of [from, to]) await broker.declare({ name: topic, partitions, bytesMax: 100_000 });
  const n = Array.from({ length: partitions }, () => 0);
  const spoken = (partition: number, at: number): Envelope => ({
    id: `e-${partition}-${at}`,
    type: "order.placed",
    schema: 1,
    subject: `order-${at}`,
    key: `order-${at}`,
    producer: "orders",
    atMs: store.nowMs(),
    correlation: "c",
    stamp: { source: `lane-${partition}`, n: at, prev: at - 1 },
    body: `{"n":${at}}`,
  });
  return {
    world,
    store,
    from,
    to,
    /** Appends messages of a lane's chain, the last one before again first if it is to be repeated. */
    async say(partition: number, count: number, repeat = false) {
      const first = n[partition]! + 1;
      const messages = Array.from({ length: count }, (_, at) => spoken(partition, first + at));
      if (repeat && first > 1) messages.unshift(spoken(partition, first - 1));
      n[partition]! += count;
      await from.append([{ topic, partition, messages }], new AbortController().signal);
    },
    async start(wrap: { store?: typeof faulty; from?: typeof unreliable; to?: typeof unreliable } = {}) {
      const own = { store: store.handle(), from: from.handle(), to: to.handle() };
      const options: WorkerOptions = {
        store: wrap.store?.(own.store) ?? own.store,
        world,
        services: [],
        types: [],
        adapters: {},
        transportOf: () => own.from,
        partitions,
        build: "test",
        host: "test",
        mirrors: [{ topic, from: wrap.from?.(own.from) ?? own.from, to: wrap.to?.(own.to) ?? own.to }],
      };
      const worker = await meanwhile(world, startWorker(options));
      const kill = () => [own.store, own.from, own.to].forEach((handle) => handle.kill());
      return { worker, kill };
    },
    /** The ids that lie in a partition of the copy, in order. */
    copied: (partition: number) => idsOf(to, partition),
    said: (partition: number) => Array.from({ length: n[partition]! }, (_, at) => `e-${partition}-${at + 1}`),
  };
}

const faulty = (store: WorkerOptions["store"]): WorkerOptions["store"] => store;
const unreliable = (transport: Transport): Transport => transport;

async function meanwhile<T>(world: TestWorld, work: Promise<T>): Promise<T> {
  let isOver = false;
  const over = () => void (isOver = true);
  work.then(over, over);
  while (!isOver) await world.advance(10);
  return work;
}

async function idsOf(transport: Transport, partition: number): Promise<string[]> {
  const bounds = (await transport.bounds(topic))[partition]!;
  const offsets = Array.from({ length: bounds.nextOffset }, (_, offset) => offset);
  const found = await Promise.all(offsets.map((offset) => transport.read(topic, partition, offset)));
  return found.flatMap((message) => message?.id ?? []);
}

const close = async (world: TestWorld, worker: Worker) => meanwhile(world, worker.close());

test("a topic is copied in order, with stamps and bodies, and without the repeats of its sender", async () => {
  const it = await open();
  await it.say(0, 3);
  const { worker } = await it.start();
  await it.say(0, 2, true);
  await it.say(1, 2_500);
  await it.world.advance(1_000);
  for (const partition of [0, 1]) expect(await it.copied(partition)).toEqual(it.said(partition));
  const [original, copy] = await Promise.all([it.from.read(topic, 0, 1), it.to.read(topic, 0, 1)]);
  expect(copy).toEqual(original);
  expect(worker.lanes()).toMatchObject([{ service: "mirror:events:far", blocked: [] }]);
  await close(it.world, worker);
});

test("a mirror that starts again goes on where it was", async () => {
  const it = await open();
  await it.say(0, 5);
  const first = await it.start();
  await it.world.advance(1_000);
  await close(it.world, first.worker);
  await it.say(0, 5);
  await it.say(1, 5);
  const second = await it.start();
  await it.world.advance(1_000);
  for (const partition of [0, 1]) expect(await it.copied(partition)).toEqual(it.said(partition));
  await close(it.world, second.worker);
});

test("of two processes one copies, and the other goes on when it dies", async () => {
  const it = await open();
  const processes = [await it.start(), await it.start()];
  await it.say(0, 5);
  await it.world.advance(1_000);
  const holders = processes.filter(({ worker }) => worker.lanes().length > 0);
  expect(holders).toHaveLength(1);
  holders[0]!.kill();
  await it.say(0, 5);
  await it.world.advance(20_000);
  expect(await it.copied(0)).toEqual(it.said(0));
});

test("what was appended and not noted is not appended again", async () => {
  const it = await open();
  const lost = await it.start({
    store: (store) => faultyStore(store, { commit: () => ({ kind: "unavailable" }) }),
  });
  await it.say(0, 5);
  await it.world.advance(500);
  expect(await it.copied(0)).toEqual(it.said(0));
  lost.kill();
  await it.world.advance(10_000);
  await it.start();
  await it.say(0, 3);
  await it.world.advance(1_000);
  expect(await it.copied(0)).toEqual(it.said(0));
});

test("what the copy's broker lost is copied again, and what it kept is not", async () => {
  const it = await open();
  const first = await it.start();
  await it.say(0, 8);
  await it.world.advance(1_000);
  await close(it.world, first.worker);
  it.to.loseTail(topic, 0, 3);
  await it.start();
  await it.say(0, 1);
  await it.world.advance(1_000);
  expect(await it.copied(0)).toEqual(it.said(0));
});

test("messages of outsiders, which have no stamp, are copied once too", async () => {
  const it = await open();
  const messages = ["x", "y", "z"].map((id): Envelope => {
    const attributes = { type: "order.place", schema: 1, subject: id, key: id, producer: "web", correlation: id };
    return { id, atMs: 1, body: "{}", ...attributes };
  });
  await it.from.append([{ topic, partition: 0, messages }], new AbortController().signal);
  const lost = await it.start({
    store: (store) => faultyStore(store, { commit: () => ({ kind: "unavailable" }) }),
  });
  await it.world.advance(500);
  lost.kill();
  await it.world.advance(10_000);
  await it.start();
  await it.world.advance(1_000);
  expect(await it.copied(0)).toEqual(["x", "y", "z"]);
});

test("retention that passed it stops a mirror until a person goes on", async () => {
  const it = await open();
  const first = await it.start();
  await it.say(0, 2);
  await it.world.advance(1_000);
  await close(it.world, first.worker);
  await it.say(0, 4);
  it.from.dropBefore(topic, 0, 4);
  const { worker } = await it.start();
  await it.world.advance(2_000);
  expect(worker.lanes()).toMatchObject([{ blocked: [{ topic, code: "RETENTION_PASSED" }] }]);
  const accepted = worker.acceptLoss("mirror:events:far", topic);
  await it.world.advance(2_000);
  expect(await accepted).toBe(true);
  expect(await it.copied(0)).toEqual(["e-0-1", "e-0-2", "e-0-5", "e-0-6"]);
});

const step = record({
  does: constantFrom("say", "say", "repeat", "wait", "wait", "kill", "start"),
  partition: integer({ min: 0, max: partitions - 1 }),
  times: integer({ min: 1, max: 20 }),
});

test("whatever fails or dies, each message is copied once and in order", async () => {
  const property = asyncProperty(integer(), array(step, { minLength: 5, maxLength: 25 }), async (seed, steps) => {
    const it = await open();
    const random = dice(seed);
    let calm = false;
    const when = () => (calm ? 1 : random());
    const odds = { fail: 0.1, loseAnswer: 0.1, part: 0.1, fetch: 0.05 };
    const start = () =>
      it.start({
        store: (store) =>
          faultyStore(
            store,
            rolledStorePlan(when, { unknownDone: 0.1, unknownNotDone: 0.1, unavailable: 0.1, call: 0.02 }),
          ),
        from: (transport) => faultyTransport(transport, rolledTransportPlan(when, { fetch: 0.05 })),
        to: (transport) => faultyTransport(transport, rolledTransportPlan(when, odds)),
      });
    const alive: Awaited<ReturnType<typeof start>>[] = [];
    for (const { does, partition, times } of steps) {
      if (does === "say" || does === "repeat") await it.say(partition, times, does === "repeat");
      else if (does === "kill") alive.shift()?.kill();
      else if (does === "start" && alive.length < 3) alive.push(await start().catch(() => ({ kill() {} }) as never));
      await it.world.advance(does === "wait" ? times * 200 : 5);
    }
    calm = true;
    for (const one of alive) one.kill();
    await it.world.advance(10_000);
    await it.start();
    await it.world.advance(30_000);
    for (const partition of [0, 1]) expect(await it.copied(partition)).toEqual(it.said(partition));
  });
  await assert(property, { numRuns: 150 });
});
