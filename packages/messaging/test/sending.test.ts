import { expect, test } from "vitest";
import { faultyTransport } from "@waybill/conformance";
import { WaybillError, type Append, type Transport } from "@waybill/messaging";
import { count, counter, counts, tallier, thing } from "./counter.ts";
import { deploy, idsIn } from "./deployment.ts";
import { totals, rekeyer, upTo, tallied, logOf, withAppends } from "./tallies.ts";

test("several lanes that write to one partition do not hide each other's messages", async () => {
  const shop = await deploy();
  const [slow, fast] = [idsIn(1, shop.partitions, 1)[0]!, idsIn(3, shop.partitions, 1)[0]!];
  let release!: () => void;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const services = [rekeyer, tallier];
  await shop.start({
    services,
    lanes: 4,
    ...withAppends(({ messages }) =>
      messages[0]!.subject === slow ? { kind: "delay", until: () => held } : undefined,
    ),
  });
  for (let n = 0; n < 3; n++) await shop.publish(count, { id: slow, by: 1 });
  for (let n = 0; n < 30; n++) await shop.publish(count, { id: fast, by: 1 });
  expect(await tallied(shop, fast, 30)).toEqual(upTo(30));
  release();
  expect(await tallied(shop, slow, 3)).toEqual(upTo(3));
});

test("at most one append to a destination is unresolved, and what failed is not overtaken", async () => {
  const shop = await deploy({ partitions: 1 });
  const open = new Map<string, number>();
  let most = 0;
  let appends = 0;
  const wrapTransport = (transport: Transport): Transport => {
    const faulty = faultyTransport(transport, {
      append: ({ topic }) => {
        if (topic !== "counts") return undefined;
        appends += 1;
        if (appends % 3 === 1) return { kind: "part", count: 1 };
        return appends % 3 === 2 ? { kind: "lose-answer" } : undefined;
      },
    });
    return {
      ...faulty,
      async append(batches, signal) {
        for (const { topic } of batches) open.set(topic, (open.get(topic) ?? 0) + 1);
        most = Math.max(most, ...open.values());
        await shop.world.sleep(30);
        const results = await faulty.append(batches, signal);
        for (const { topic } of batches) open.set(topic, open.get(topic)! - 1);
        return results;
      },
    };
  };
  await shop.start({ lanes: 1, wrapTransport, limits: { batchInputs: 3 } });
  for (let n = 0; n < 20; n++) {
    await shop.publish(count, { id: "a", by: 1 });
    await shop.world.advance(10);
  }
  expect(await tallied(shop, "a", 20)).toEqual(upTo(20));
  expect(most).toBe(1);
  expect(appends).toBeGreaterThanOrEqual(3);
});

test("what does not fit in memory while a destination is away arrives in order when it is back", async () => {
  const shop = await deploy();
  const [stuckId, fineId] = [idsIn(0, shop.partitions, 1)[0]!, idsIn(2, shop.partitions, 1)[0]!];
  let down = true;
  const { worker } = await shop.start({
    lanes: 1,
    limits: { sender: { messages: 5, bytes: 1_000_000, append: 4 }, batchInputs: 2 },
    ...withAppends(({ topic, partition }) =>
      down && topic === "counts" && partition === 0 ? { kind: "fail" } : undefined,
    ),
  });
  for (let n = 0; n < 40; n++) {
    await shop.publish(count, { id: stuckId, by: 1 });
    if (n % 4 === 0) await shop.publish(count, { id: fineId, by: 1 });
  }
  expect(await tallied(shop, fineId, 10)).toEqual(upTo(10));
  expect(await totals(shop, stuckId)).toEqual([]);
  expect((await shop.read("counter", thing(stuckId)))?.total).toBe(40);
  expect(worker.lanes().find(({ service }) => service === "counter")!.outbox).toBeLessThanOrEqual(5);
  down = false;
  expect(await tallied(shop, stuckId, 40)).toEqual(upTo(40));
});

test("a destination whose appends hang holds only itself", async () => {
  const shop = await deploy();
  const [stuckId, fineId] = [idsIn(0, shop.partitions, 1)[0]!, idsIn(2, shop.partitions, 1)[0]!];
  let down = true;
  await shop.start({
    lanes: 1,
    ...withAppends(({ topic, partition }) => {
      if (topic !== "counts") return undefined;
      if (down) return { kind: "fail" };
      return partition === 0 ? { kind: "delay", until: () => new Promise<void>(() => undefined) } : undefined;
    }),
  });
  await shop.publish(count, { id: stuckId, by: 1 });
  await shop.publish(count, { id: fineId, by: 1 });
  await shop.world.advance(1_000);
  down = false;
  for (let n = 0; n < 4; n++) await shop.publish(count, { id: fineId, by: 1 });
  expect(await tallied(shop, fineId, 5)).toEqual(upTo(5));
});

test("a broker that lost what it had confirmed is told again, after a takeover", async () => {
  const shop = await deploy({ partitions: 1 });
  const { worker } = await shop.start({ services: [counter], lanes: 1 });
  for (let n = 0; n < 10; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  const closing = worker.close();
  await shop.world.advance(100);
  await closing;
  shop.transport.loseTail("counts", 0, 4);
  await shop.start({ services: [counter, tallier], lanes: 1 });
  expect(await tallied(shop, "a", 10)).toEqual(upTo(10));
});

test("a broker that comes back without the end of its log is told again before anything new", async () => {
  const shop = await deploy({ partitions: 1 });
  let down = false;
  await shop.start({
    services: [counter],
    lanes: 1,
    ...withAppends(({ topic }) => (down && topic === "counts" ? { kind: "fail" } : undefined)),
  });
  for (let n = 0; n < 10; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  down = true;
  await shop.publish(count, { id: "a", by: 1 });
  shop.transport.loseTail("counts", 0, 4);
  down = false;
  await shop.world.advance(3_000);
  await shop.start({ services: [tallier], lanes: 1 });
  expect(await tallied(shop, "a", 11)).toEqual(upTo(11));
});

test("a loss whose place was taken by an append without an answer is made good", async () => {
  const shop = await deploy({ partitions: 1 });
  let isUnanswered = false;
  await shop.start({
    services: [counter],
    lanes: 1,
    ...withAppends(({ topic }) => {
      if (!isUnanswered || topic !== "counts") return undefined;
      isUnanswered = false;
      return { kind: "lose-answer" };
    }),
  });
  for (let n = 0; n < 10; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  shop.transport.loseTail("counts", 0, 1);
  isUnanswered = true;
  await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  expect(isUnanswered).toBe(false);
  await shop.start({ services: [tallier], lanes: 1 });
  expect(await tallied(shop, "a", 11)).toEqual(upTo(11));
});

test("a loss behind the last look, whose place an append that came late has taken, is made good", async () => {
  const shop = await deploy({ partitions: 1 });
  let late: Append | "armed" | undefined;
  await shop.start({
    services: [counter],
    lanes: 1,
    wrapTransport: (transport) => ({
      ...transport,
      async append(batches, signal) {
        const of = batches.find(({ topic }) => topic === counts.name);
        if (late === "armed" && of !== undefined) {
          late = of;
          throw new WaybillError("TRANSPORT_UNAVAILABLE", "Nobody knows what became of it.");
        }
        if (late !== undefined && late !== "armed" && of !== undefined) {
          shop.transport.loseTail("counts", 0, 1);
          await transport.append([late], signal);
          late = undefined;
        }
        return transport.append(batches, signal);
      },
    }),
  });
  for (let n = 0; n < 10; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  late = "armed";
  await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  expect(late).toBeUndefined();
  await shop.start({ services: [tallier], lanes: 1 });
  expect(await tallied(shop, "a", 11)).toEqual(upTo(11));
});

test("what was confirmed leaves the outbox after its grace", async () => {
  const shop = await deploy({ partitions: 1 });
  await shop.start({ lanes: 1 });
  for (let n = 0; n < 5; n++) {
    await shop.publish(count, { id: "a", by: 1 });
    await shop.world.advance(60_000);
  }
  const id = { service: "counter", lane: 0, lanes: 1 };
  const kept = await shop.store.outbox(id, { topic: counts.name, partition: 0 }, 0, 100);
  expect(kept.length).toBeLessThan(4);
});

test("a loss that one owner saw and did not live to make good is made good by the next", async () => {
  const shop = await deploy({ partitions: 1 });
  await shop.start({ services: [tallier], lanes: 1 });
  let isLost = false;
  const first = await shop.start({
    services: [counter],
    lanes: 1,
    wrapTransport: (transport) => ({
      ...transport,
      async append(batches, signal) {
        const results = await transport.append(batches, signal);
        if (isLost) first.kill();
        return results;
      },
    }),
  });
  for (let n = 0; n < 5; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  shop.transport.recreate("counts");
  isLost = true;
  await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(10_000);
  expect(await logOf(shop, "counts", 0)).toHaveLength(1);
  await shop.start({ services: [counter], lanes: 1 });
  await shop.world.advance(5_000);
  expect(new Set((await logOf(shop, "counts", 0)).map(({ stamp }) => stamp!.n))).toEqual(new Set(upTo(6)));
  expect(await tallied(shop, "a", 6)).toEqual(upTo(6));
});

test("a loss between a takeover and the new owner's first append is made good", async () => {
  const shop = await deploy({ partitions: 1 });
  const first = await shop.start({ services: [counter], lanes: 1 });
  for (let n = 0; n < 10; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  first.kill();
  await shop.world.advance(6_000);
  await shop.start({ services: [counter], lanes: 1 });
  shop.transport.loseTail("counts", 0, 4);
  await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  await shop.start({ services: [tallier], lanes: 1 });
  expect(await tallied(shop, "a", 11)).toEqual(upTo(11));
});

test("a loss behind what was written as confirmed is made good by the next owner", async () => {
  const shop = await deploy({ partitions: 1 });
  let appended = 0;
  const first = await shop.start({
    services: [counter],
    lanes: 1,
    wrapTransport: (transport) => ({
      ...transport,
      async append(batches, signal) {
        const results = await transport.append(batches, signal);
        if (batches[0]!.topic !== "counts" || ++appended < 6) return results;
        if (appended > 6) first.kill();
        else {
          // Its answer comes late, when the seventh is committed already, and the broker has lost it by then.
          await shop.world.sleep(200);
          shop.transport.loseTail("counts", 0, 1);
        }
        return results;
      },
    }),
  });
  for (let n = 0; n < 5; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  await shop.publish(count, { id: "a", by: 1 });
  await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(10_000);
  expect((await logOf(shop, "counts", 0)).map(({ stamp }) => stamp!.n)).toEqual([1, 2, 3, 4, 5, 7]);
  await shop.start({ services: [counter, tallier], lanes: 1 });
  expect(await tallied(shop, "a", 7)).toEqual(upTo(7));
});
