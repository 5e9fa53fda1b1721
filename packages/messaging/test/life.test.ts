import { expect, test } from "vitest";
import { call, count, counter, tally, tallier, thing } from "./counter.ts";
import { deploy } from "./deployment.ts";

test("the brokers' own tools are told how far a service is, now and then, and may fail", async () => {
  const shop = await deploy({ partitions: 1 });
  const reports: { service: string; topics: string[] }[] = [];
  await shop.start({
    services: [counter],
    lanes: 1,
    wrapTransport: (transport) => ({
      ...transport,
      async report(service, positions) {
        reports.push({ service, topics: positions.map(({ topic }) => topic) });
        throw new Error("not now");
      },
    }),
  });
  for (let n = 0; n < 30; n++) {
    await shop.publish(count, { id: "a", by: 1 });
    await shop.world.advance(1_000);
  }
  expect(reports.length).toBeGreaterThan(3);
  expect(reports.length).toBeLessThan(9);
  expect(reports[0]).toEqual({ service: "counter", topics: ["count-in"] });
});

test("a message is handled, its state kept, its message sent and handled in turn", async () => {
  const shop = await deploy();
  const { worker } = await shop.start();
  await shop.publish(count, { id: "a", by: 2 });
  await shop.publish(count, { id: "a", by: 3 });
  await shop.until("both are tallied", async () => (await shop.read("tallier", tally("a")))?.seen.length === 2);
  expect(await shop.read("counter", thing("a"))).toMatchObject({ total: 5 });
  expect((await shop.read("tallier", tally("a")))?.seen).toEqual([2, 5]);
  await worker.close();
});

test("an effect is called after the commit, and its result is an input", async () => {
  const shop = await deploy();
  const { worker } = await shop.start();
  await shop.publish(count, { id: "a", by: 2, call: true });
  await shop.until("it is answered", async () => (await shop.read("counter", thing("a")))?.answers.length === 1);
  expect((await shop.read("counter", thing("a")))?.answers).toEqual(["answer 2"]);
  await worker.close();
});

test("a timer fires once when its time has come", async () => {
  const shop = await deploy();
  const { worker } = await shop.start();
  await shop.publish(count, { id: "a", by: 1, after: 60_000 });
  await shop.world.advance(59_000);
  expect((await shop.read("counter", thing("a")))?.rings).toBe(0);
  await shop.world.advance(3_000);
  expect((await shop.read("counter", thing("a")))?.rings).toBe(1);
  await shop.world.advance(100_000);
  expect((await shop.read("counter", thing("a")))?.rings).toBe(1);
  await worker.close();
});

test("a handler that throws parks its own entity only, and a redrive takes it up again", async () => {
  const shop = await deploy();
  const { worker } = await shop.start();
  await shop.publish(count, { id: "a", by: 1, fail: true });
  await shop.publish(count, { id: "a", by: 2 });
  await shop.publish(count, { id: "b", by: 7 });
  await shop.until("b is counted", async () => (await shop.read("counter", thing("b")))?.total === 7);
  expect(await shop.read("counter", thing("a"))).toBeUndefined();
  const [parked] = await shop.store.parkedKeys("counter");
  expect(parked).toMatchObject({ key: "a", error: "a cannot be counted" });
  const redriven = worker.redrive("counter", "a", JSON.stringify({ id: "a", by: 1 }));
  await shop.world.settle();
  expect(await redriven).toBe(true);
  await shop.until("a is counted", async () => (await shop.read("counter", thing("a")))?.total === 3);
  expect(await shop.store.parkedKeys("counter")).toEqual([]);
  await worker.close();
});

test("lanes of a killed process are taken over, and every message counts once", async () => {
  const shop = await deploy();
  const first = await shop.start();
  for (let n = 0; n < 20; n++) await shop.publish(count, { id: `t${n % 5}`, by: 1 });
  first.kill();
  for (let n = 0; n < 20; n++) await shop.publish(count, { id: `t${n % 5}`, by: 1 });
  const second = await shop.start();
  await shop.until("all is counted", async () => {
    for (let n = 0; n < 5; n++) if ((await shop.read("tallier", tally(`t${n}`)))?.seen.at(-1) !== 8) return false;
    return true;
  });
  for (let n = 0; n < 5; n++) {
    expect((await shop.read("tallier", tally(`t${n}`)))?.seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  }
  await second.worker.close();
  expect([call.name, counter.name, tallier.name]).toHaveLength(3);
});
