import { expect, test } from "vitest";
import { faultyStore } from "@waybill/conformance";
import type { Store, Transport } from "@waybill/messaging";
import { count, counter, tallier, tally } from "./counter.ts";
import { deploy, idsIn, type Deployment } from "./deployment.ts";

async function told<T>(shop: Deployment, answer: Promise<T>): Promise<T> {
  await shop.world.settle();
  return answer;
}

async function total(shop: Deployment, id: string): Promise<number> {
  return (await shop.read("tallier", tally(id)))?.seen.length ?? 0;
}

test("a second process gets its half within a few ticks, a lane a second, and nothing is lost", async () => {
  const shop = await deploy({ partitions: 8 });
  const ids = Array.from({ length: 8 }, (_, partition) => idsIn(partition, 8, 1)[0]!);
  const first = await shop.start({ services: [counter], lanes: 8 });
  await shop.start({ lanes: 8 });
  const second = await shop.start({ services: [counter], lanes: 8 });
  let published = 0;
  for (let tick = 0; tick < 12; tick++) {
    for (const id of ids) await shop.publish(count, { id, by: 1 });
    published += 1;
    await shop.world.advance(1_000);
  }
  const held = [first, second].map(({ worker }) => worker.lanes().length);
  expect(held.every((lanes) => lanes <= 3)).toBe(true);
  expect(held.every((lanes) => lanes >= 2)).toBe(true);
  const epochs = async () => (await shop.store.survey(["counter"])).lanes.map(({ epoch }) => epoch);
  const shared = await epochs();
  await shop.world.advance(5_000);
  expect(await epochs()).toEqual(shared);
  for (const id of ids) {
    await shop.until(`${id} is tallied`, async () => (await total(shop, id)) >= published);
    expect((await shop.read("tallier", tally(id)))?.seen).toEqual(Array.from({ length: published }, (_, at) => at + 1));
  }
});

test("a process that closes gives its lanes back at once, with everything that it had begun", async () => {
  const shop = await deploy();
  const { worker } = await shop.start();
  for (let n = 0; n < 20; n++) void shop.publisher.publish(count, { id: `t${n % 4}`, by: 1 });
  const closing = worker.close();
  const beganMs = shop.store.nowMs();
  await told(shop, closing);
  expect(shop.store.nowMs()).toBe(beganMs);
  const { lanes, members } = await shop.store.survey(["counter", "tallier"]);
  expect(lanes.every(({ owner }) => owner === undefined)).toBe(true);
  expect(members).toEqual([]);
  await shop.start();
  await shop.until("all is tallied", async () => (await total(shop, "t3")) === 5);
  for (let n = 0; n < 4; n++) expect((await shop.read("tallier", tally(`t${n}`)))?.seen).toEqual([1, 2, 3, 4, 5]);
});

test("a process that has no lane to give back ends at once too", async () => {
  const shop = await deploy();
  await shop.start({ services: [counter], lanes: 1 });
  const { worker } = await shop.start({ services: [counter], lanes: 1 });
  await shop.world.advance(1_500);
  expect(worker.lanes()).toEqual([]);
  const beganMs = shop.store.nowMs();
  await told(shop, worker.close());
  expect(shop.store.nowMs()).toBe(beganMs);
});

test("the lanes of a process that closes run elsewhere at once, without waiting for a tick", async () => {
  const shop = await deploy();
  const first = await shop.start();
  const second = await shop.start();
  await shop.world.advance(5_000);
  expect(second.worker.lanes().length).toBeGreaterThan(0);
  const beganMs = shop.store.nowMs();
  await told(shop, second.worker.close());
  expect(shop.store.nowMs()).toBe(beganMs);
  // For a moment what is given back is gathered.
  await shop.world.advance(20);
  const { lanes } = await shop.store.survey(["counter", "tallier"]);
  expect(first.worker.lanes()).toHaveLength(lanes.length);
});

test("a lane that takes long to open keeps no other one waiting", async () => {
  const shop = await deploy();
  const counting = await shop.start({ services: [counter] });
  const tallying = await shop.start({ services: [tallier] });
  const wrapStore = (store: Store): Store => ({
    ...store,
    recover: (id) => (id.service === "counter" && id.lane === 0 ? new Promise(() => undefined) : store.recover(id)),
  });
  const { worker } = await shop.start({ wrapStore });
  await told(shop, counting.worker.close());
  await shop.world.advance(1_000);
  await told(shop, tallying.worker.close());
  await shop.world.advance(1_000);
  const { lanes } = await shop.store.survey(["counter", "tallier"]);
  expect(worker.lanes()).toHaveLength(lanes.length - 1);
});

test("the lanes of a process that died are taken over when it has been silent for long enough", async () => {
  const shop = await deploy();
  const first = await shop.start();
  const second = await shop.start();
  await shop.world.advance(3_000);
  first.kill();
  await shop.world.advance(1_000);
  expect(second.worker.lanes().length).toBeLessThan(4);
  await shop.world.advance(6_000);
  expect(second.worker.lanes()).toHaveLength(4);
});

test("a process that could not renew in time stops acting for its lanes, and comes back", async () => {
  const shop = await deploy();
  let isAway = false;
  const wrapStore = (store: Store): Store =>
    faultyStore(store, { call: () => (isAway ? { kind: "unavailable" } : undefined) });
  const { worker } = await shop.start({ wrapStore });
  await shop.world.advance(1_000);
  isAway = true;
  await shop.world.advance(8_000);
  expect(worker.lanes()).toEqual([]);
  isAway = false;
  await shop.world.advance(5_000);
  expect(worker.lanes()).toHaveLength(4);
  await shop.publish(count, { id: "a", by: 1 });
  await shop.until("it is tallied", async () => (await total(shop, "a")) === 1);
});

test("an idle deployment writes next to nothing", async () => {
  const shop = await deploy();
  let commits = 0;
  let others = 0;
  const wrapStore = (store: Store): Store =>
    faultyStore(store, {
      commit: () => void (commits += 1),
      call: (name) => void (others += name === "survey" || name === "renew" ? 0 : 1),
    });
  await shop.start({ wrapStore });
  await shop.publish(count, { id: "a", by: 1, call: true });
  await shop.publish(count, { id: "b", by: 1, after: 7_200_000 });
  await shop.world.advance(10_000);
  commits = others = 0;
  await shop.world.advance(120_000);
  expect(commits).toBe(0);
  expect(others).toBeLessThan(5);
});

test("a long topic does not fill memory", async () => {
  const shop = await deploy({ partitions: 1 });
  for (let n = 0; n < 500; n++) void shop.publisher.publish(count, { id: `t${n % 50}`, by: 1 });
  await shop.world.settle();
  let most = 0;
  let fetched = 0;
  let taken = 0;
  const { worker } = await shop.start({
    services: [counter],
    lanes: 1,
    limits: { inbox: { messagesPerTopic: 20, bytesPerTopic: 1_000_000 }, batchInputs: 5 },
    wrapStore: (store) =>
      faultyStore(store, {
        commit: (batch) => {
          taken += batch.inputs;
          most = Math.max(most, fetched - taken);
          return { kind: "delay", until: () => shop.world.sleep(10) };
        },
      }),
    wrapTransport: (transport) => ({
      ...spread(transport),
      reader(from) {
        const reader = transport.reader(from);
        return {
          async fetch(limits, signal) {
            const result = await reader.fetch(limits, signal);
            fetched += result.messages.length;
            return result;
          },
          [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
        };
      },
    }),
  });
  await shop.until("all are counted", () => worker.lanes()[0]?.counts.inputs === 500);
  expect(fetched).toBe(500);
  expect(most).toBeLessThanOrEqual(45);
});

/** The calls of a transport as an object of its own. */
function spread(transport: Transport): Transport {
  return {
    name: transport.name,
    declare: (topic) => transport.declare(topic),
    append: (batches, signal) => transport.append(batches, signal),
    reader: (from) => transport.reader(from),
    read: (topic, partition, offset) => transport.read(topic, partition, offset),
    bounds: (topic, atMs) => transport.bounds(topic, atMs),
    report: (name, positions) => transport.report(name, positions),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

test("a lane whose opening failed is opened by its owner, though it has its share already", async () => {
  const shop = await deploy({ partitions: 3 });
  let failing = 1;
  const wrapStore = (store: Store): Store =>
    faultyStore(store, {
      call: (name) => (name === "recover" && failing-- > 0 ? { kind: "unavailable" } : undefined),
    });
  const first = await shop.start({ services: [counter], lanes: 3, wrapStore });
  const second = await shop.start({ services: [counter], lanes: 3 });
  await shop.world.advance(10_000);
  const held = [first, second].flatMap(({ worker }) => worker.lanes().map(({ lane }) => lane));
  expect(new Set(held)).toEqual(new Set([0, 1, 2]));
});
