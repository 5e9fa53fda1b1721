import { expect, test } from "vitest";
import type { Fetched, Position, Reader, Transport } from "@waybill/messaging";
import { count, counter, tally, tallier } from "./counter.ts";
import { deploy, idsIn, type Deployment } from "./deployment.ts";

async function totals(shop: Deployment, id: string): Promise<readonly number[]> {
  return (await shop.read("tallier", tally(id)))?.seen ?? [];
}

async function told<T>(shop: Deployment, answer: Promise<T>): Promise<T> {
  await shop.world.settle();
  return answer;
}

/** A transport that does not show some of its messages, as a log that has lost them. */
function hiding(
  transport: Transport,
  isHidden: (topic: string, partition: number, offset: number) => boolean,
): Transport {
  const reader = (from: readonly Position[]): Reader => {
    const real = transport.reader(from);
    return {
      async fetch(limits, signal): Promise<Fetched> {
        const fetched = await real.fetch(limits, signal);
        const messages = fetched.messages.filter((one) => !isHidden(one.topic, one.partition, one.offset));
        return { ...fetched, messages };
      },
      [Symbol.asyncDispose]: () => real[Symbol.asyncDispose](),
    };
  };
  return {
    name: transport.name,
    declare: (topic) => transport.declare(topic),
    append: (batches, signal) => transport.append(batches, signal),
    reader,
    read: (topic, partition, offset) => transport.read(topic, partition, offset),
    bounds: (topic, atMs) => transport.bounds(topic, atMs),
    report: (service, positions) => transport.report(service, positions),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

test("a missing message stops its topic, names what is missing, and a person can go on without it", async () => {
  const shop = await deploy({ partitions: 2 });
  const [id, other] = [idsIn(0, 2, 1)[0]!, idsIn(1, 2, 1)[0]!];
  const wrapTransport = (transport: Transport): Transport =>
    hiding(transport, (topic, partition, offset) => topic === "counts" && partition === 0 && offset === 2);
  await shop.start({ services: [counter], lanes: 1 });
  const { worker } = await shop.start({ services: [tallier], lanes: 2, wrapTransport });
  for (let n = 0; n < 5; n++) {
    await shop.publish(count, { id, by: 1 });
    await shop.publish(count, { id: other, by: 1 });
    await shop.world.advance(100);
  }
  await shop.until("the other partition flows", async () => (await totals(shop, other)).length === 5);
  expect(await totals(shop, id)).toEqual([1, 2]);
  const blocked = worker.lanes().flatMap((status) => status.blocked);
  expect(blocked).toMatchObject([{ topic: "counts", code: "GAP" }]);
  expect(blocked[0]!.reason).toMatch(
    /counts\/0: source .* is missing its messages after \d+ up to \d+, before offset 3/,
  );
  expect(await told(shop, worker.acceptLoss("tallier", "counts"))).toBe(true);
  await shop.until("it goes on", async () => (await totals(shop, id)).length === 4);
  expect(await totals(shop, id)).toEqual([1, 2, 4, 5]);
  expect(await told(shop, worker.acceptLoss("tallier", "counts"))).toBe(false);
});

test("what a broker lost and its sender says again is taken behind the message that came between", async () => {
  const shop = await deploy({ partitions: 1 });
  let isHeld = false;
  const wrapTransport = (transport: Transport): Transport => ({
    ...hiding(transport, () => false),
    reader(from) {
      const reader = transport.reader(from);
      return {
        async fetch(limits, signal) {
          while (isHeld && !signal.aborted) await shop.world.sleep(100, signal);
          return reader.fetch({ ...limits, waitMs: Math.min(limits.waitMs, 50) }, signal);
        },
        [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
      };
    },
  });
  await shop.start({ services: [counter], lanes: 1 });
  const { worker } = await shop.start({ services: [tallier], lanes: 1, wrapTransport });
  for (let n = 0; n < 2; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.until("two are tallied", async () => (await totals(shop, "a")).length === 2);
  isHeld = true;
  await shop.world.advance(200);
  for (let n = 0; n < 2; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(1_000);
  shop.transport.loseTail("counts", 0, 1);
  // The sender notices by the answer to its next append, when this stands where the lost one stood.
  await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(1_000);
  isHeld = false;
  await shop.until("all are tallied", async () => (await totals(shop, "a")).length === 5);
  expect(await totals(shop, "a")).toEqual([1, 2, 3, 4, 5]);
  expect(worker.lanes().flatMap((status) => status.blocked)).toEqual([]);
  const { lanes } = await shop.store.survey(["tallier"]);
  expect(lanes.map(({ stopped }) => stopped)).toEqual([undefined]);
});

test("a gap is found again by the next owner", async () => {
  const shop = await deploy({ partitions: 1 });
  const wrapTransport = (transport: Transport): Transport =>
    hiding(transport, (topic, _partition, offset) => topic === "counts" && offset === 2);
  const first = await shop.start({ lanes: 1, wrapTransport });
  for (let n = 0; n < 5; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  first.kill();
  await shop.world.advance(6_000);
  const second = await shop.start({ lanes: 1, wrapTransport });
  await shop.world.advance(3_000);
  expect(await totals(shop, "a")).toEqual([1, 2]);
  expect(second.worker.lanes().flatMap(({ blocked }) => blocked)).toMatchObject([{ code: "GAP" }]);
  second.kill();
  await shop.world.advance(6_000);
  // The broker has found it again.
  await shop.start({ lanes: 1 });
  await shop.until("all is tallied", async () => (await totals(shop, "a")).length === 5);
  expect(await totals(shop, "a")).toEqual([1, 2, 3, 4, 5]);
});

test("messages that retention deleted unread stop the topic until a person goes on", async () => {
  const shop = await deploy({ partitions: 1 });
  const first = await shop.start({ services: [counter, tallier], lanes: 1 });
  for (let n = 0; n < 3; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.until("three are tallied", async () => (await totals(shop, "a")).length === 3);
  await told(shop, first.worker.close());
  await shop.start({ services: [counter], lanes: 1 });
  for (let n = 0; n < 4; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  shop.transport.dropBefore("counts", 0, 5);
  const { worker } = await shop.start({ services: [tallier], lanes: 1 });
  await shop.world.advance(3_000);
  expect(await totals(shop, "a")).toEqual([1, 2, 3]);
  expect(worker.lanes()[0]!.blocked).toMatchObject([{ topic: "counts", code: "RETENTION_PASSED" }]);
  expect(await told(shop, worker.acceptLoss("tallier", "counts"))).toBe(true);
  await shop.until("it goes on", async () => (await totals(shop, "a")).length === 5);
  expect(await totals(shop, "a")).toEqual([1, 2, 3, 6, 7]);
});

test("retention that passes a reader at work stops the topic too", async () => {
  const shop = await deploy({ partitions: 1 });
  let isHeld = false;
  const wrapTransport = (transport: Transport): Transport => ({
    ...hiding(transport, () => false),
    reader(from) {
      const reader = transport.reader(from);
      return {
        async fetch(limits, signal) {
          while (isHeld && !signal.aborted) await shop.world.sleep(100, signal);
          return reader.fetch(limits, signal);
        },
        [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
      };
    },
  });
  await shop.start({ services: [counter], lanes: 1 });
  const { worker } = await shop.start({ services: [tallier], lanes: 1, wrapTransport });
  await shop.publish(count, { id: "a", by: 1 });
  await shop.until("one is tallied", async () => (await totals(shop, "a")).length === 1);
  isHeld = true;
  await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(200);
  for (let n = 0; n < 4; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(200);
  shop.transport.dropBefore("counts", 0, 5);
  isHeld = false;
  await shop.until("it has stopped", () => worker.lanes()[0]?.blocked.length === 1);
  expect(worker.lanes()[0]!.blocked).toMatchObject([{ code: "RETENTION_PASSED" }]);
  expect((await totals(shop, "a")).length).toBeLessThan(5);
});

test("a topic that is made anew is read from its start, and what is repeated on it is dropped", async () => {
  const shop = await deploy({ partitions: 1 });
  await shop.start({ lanes: 1 });
  for (let n = 0; n < 4; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.until("four are tallied", async () => (await totals(shop, "a")).length === 4);
  const old = await Promise.all([0, 1, 2, 3].map((offset) => shop.transport.read("counts", 0, offset)));
  shop.transport.recreate("counts");
  const messages = old.map((message) => message!);
  await shop.transport.append([{ topic: "counts", partition: 0, messages }], new AbortController().signal);
  for (let n = 0; n < 2; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.until("six are tallied", async () => (await totals(shop, "a")).length >= 6);
  expect(await totals(shop, "a")).toEqual([1, 2, 3, 4, 5, 6]);
});

test("a topic that is made anew while nobody runs, and is shorter, is read from its start", async () => {
  const shop = await deploy({ partitions: 1 });
  const first = await shop.start({ lanes: 1 });
  for (let n = 0; n < 6; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.until("six are counted", async () => (await totals(shop, "a")).length === 6);
  await told(shop, first.worker.close());
  shop.transport.recreate("count-in");
  for (let n = 0; n < 2; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.start({ lanes: 1 });
  await shop.until("eight are counted", async () => (await totals(shop, "a")).length === 8);
  expect(await totals(shop, "a")).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test("a mark that a stranger has raised is a gap, not silence", async () => {
  const shop = await deploy({ partitions: 1 });
  const { worker } = await shop.start({ lanes: 1 });
  for (let n = 0; n < 3; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.until("three are tallied", async () => (await totals(shop, "a")).length === 3);
  const real = (await shop.transport.read("counts", 0, 2))!;
  const forged = { ...real, id: "forged", stamp: { ...real.stamp!, n: 2 ** 50, prev: 2 ** 50 - 1 } };
  await shop.transport.append([{ topic: "counts", partition: 0, messages: [forged] }], new AbortController().signal);
  await shop.world.advance(1_000);
  expect(worker.lanes().flatMap(({ blocked }) => blocked)).toMatchObject([{ code: "GAP" }]);
});
