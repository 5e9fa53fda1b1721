import { expect, test } from "vitest";
import { WaybillError, type Transport } from "@waybill/messaging";
import { count, counter, tallier } from "./counter.ts";
import { deploy, idsIn } from "./deployment.ts";
import { totals, rekeyer, upTo, tallied, logOf, withAppends } from "./tallies.ts";

test("a database that is older than its logs goes on under a new name, and says nothing twice", async () => {
  const shop = await deploy({ partitions: 1 });
  const first = await shop.start({ services: [counter], lanes: 1 });
  for (let n = 0; n < 5; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  const backup = shop.store.snapshot();
  for (let n = 0; n < 5; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  first.kill();
  shop.store.restore(backup);
  await shop.world.advance(6_000);
  await shop.start({ services: [counter], lanes: 1 });
  // What comes now reaches the restored service before all of what it had handled after the backup.
  for (let n = 0; n < 5; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  await shop.start({ services: [tallier], lanes: 1 });
  expect(await tallied(shop, "a", 15)).toEqual(upTo(15));
  const log = await logOf(shop, "counts", 0);
  expect(new Set(log.map(({ id }) => id)).size).toBe(log.length);
  expect(new Set(log.map(({ stamp }) => stamp!.source)).size).toBe(2);
  expect(shop.world.lines.some(({ facts }) => facts?.["code"] === "STORE_REWOUND")).toBe(true);
});

test("what a database that was put back had said is known to the owner after the one that found it", async () => {
  const shop = await deploy({ partitions: 1 });
  const first = await shop.start({ services: [counter], lanes: 1 });
  await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  const backup = shop.store.snapshot();
  for (let n = 0; n < 5; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  first.kill();
  shop.store.restore(backup);
  await shop.world.advance(6_000);
  // It finds out, and dies before it can read again what had been handled.
  const deaf = (transport: Transport): Transport => ({
    ...transport,
    reader: (from) => {
      const reader = transport.reader(from);
      if (!from.some(({ topic }) => topic === "count-in")) return reader;
      return { ...reader, fetch: () => Promise.reject(new WaybillError("TRANSPORT_UNAVAILABLE", "Not yet.")) };
    },
  });
  const second = await shop.start({ services: [counter], lanes: 1, wrapTransport: deaf });
  await shop.world.advance(3_000);
  second.kill();
  await shop.world.advance(6_000);
  await shop.start({ services: [counter, tallier], lanes: 1 });
  for (let n = 0; n < 3; n++) await shop.publish(count, { id: "a", by: 1 });
  expect(await tallied(shop, "a", 9)).toEqual(upTo(9));
  const log = await logOf(shop, "counts", 0);
  const stamps = new Set(log.map(({ stamp }) => `${stamp!.source} ${stamp!.n}`));
  expect(stamps.size).toBe(new Set(log.map(({ id }) => id)).size);
});

test("an owner that has nothing to do notices that its database was put back", async () => {
  const shop = await deploy({ partitions: 1 });
  await shop.start({ services: [counter], lanes: 1 });
  await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  const backup = shop.store.snapshot();
  await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  shop.store.restore(backup);
  await shop.world.advance(10_000);
  expect(shop.world.lines.some(({ facts }) => facts?.["code"] === "STORE_REWOUND")).toBe(true);
  expect((await logOf(shop, "counts", 0)).length).toBe(2);
});

test("a database from before a lane's first message is found to be older too", async () => {
  const shop = await deploy({ partitions: 2 });
  const [x, y] = [idsIn(0, 2, 1)[0]!, idsIn(1, 2, 1)[0]!];
  const services = [rekeyer];
  const first = await shop.start({ services, lanes: 1 });
  const backup = shop.store.snapshot();
  await shop.world.advance(10_000);
  const startMs = shop.store.nowMs();
  await shop.publish(count, { id: x, by: 1 }, { atMs: startMs });
  await shop.publish(count, { id: y, by: 1 }, { atMs: startMs - 2 });
  await shop.world.advance(3_000);
  first.kill();
  shop.store.restore(backup);
  // This is read, and numbered, before what was published later and handled earlier.
  await shop.publish(count, { id: y, by: 1 }, { atMs: startMs - 1 });
  await shop.world.advance(6_000);
  await shop.start({ services: [rekeyer, tallier], lanes: 1 });
  await shop.world.advance(10_000);
  expect([await totals(shop, x), await totals(shop, y)]).toEqual([[1], [1, 2]]);
});

test("messages of the restored time are sent again when the logs have lost them too", async () => {
  const shop = await deploy({ partitions: 1 });
  let down = false;
  const first = await shop.start({
    services: [counter],
    lanes: 1,
    ...withAppends(({ topic }) => (down && topic === "counts" ? { kind: "fail" } : undefined)),
  });
  for (let n = 0; n < 3; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  down = true;
  for (let n = 0; n < 3; n++) await shop.publish(count, { id: "a", by: 1 });
  const backup = shop.store.snapshot();
  down = false;
  await shop.world.advance(5_000);
  for (let n = 0; n < 3; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  first.kill();
  shop.store.restore(backup);
  await shop.world.advance(6_000);
  await shop.start({ services: [counter, tallier], lanes: 1 });
  for (let n = 0; n < 20; n++) await shop.publish(count, { id: "a", by: 1 });
  expect(await tallied(shop, "a", 29)).toEqual(upTo(29));
});
