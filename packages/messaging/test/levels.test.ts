import { type } from "arktype";
import { expect, test } from "vitest";
import { command, event, service, state, timer, topic, when, whenDue } from "@waybill/messaging";
import { count, countIn, counted, tally, tallier, thing, type Count } from "./counter.ts";
import { deploy, idsIn, type Deployment } from "./deployment.ts";

// The next build: counts carry a unit, states and timers have grown.
const count2 = command("thing.count", {
  topic: countIn,
  version: 2,
  schema: type({ id: "string", by: "number", unit: "string" }),
  upcasts: { 1: (v1: object) => ({ ...v1, unit: "piece" }) },
  subject: (m) => m.id,
  samples: [{ id: "a", by: 1, unit: "kg" }],
});
interface Count2 extends Count {
  readonly units: readonly string[];
}
const thing2 = state<Count2>("thing", { version: 2, upcasts: { 1: (v1: Count) => ({ ...v1, units: ["old"] }) } });
const bell2 = timer<{ readonly loud: boolean }>("bell", { version: 2, upcasts: { 1: () => ({ loud: true }) } });

const counter2 = service("counter", {
  level: 2,
  sends: [counted],
  on: [
    when(
      count2,
      (m) => [thing2(m.id)],
      (m, [held], out) => {
        const before = held.value ?? { total: 0, rings: 0, answers: [], units: [] };
        out.save(held, { ...before, total: before.total + m.by, units: [...before.units, m.unit] });
        out.send(counted, { id: m.id, total: before.total + m.by });
      },
    ),
    whenDue(
      bell2,
      (t) => [thing2(t.key)],
      (t, [held], out) => {
        const before = held.value!;
        out.save(held, { ...before, rings: before.rings + (t.body.loud ? 10 : 1) });
      },
    ),
  ],
});

async function told<T>(shop: Deployment, answer: Promise<T>): Promise<T> {
  await shop.world.settle();
  return answer;
}

test("messages, states, timers and parked inputs of an older build are lifted when they are read", async () => {
  const shop = await deploy({ partitions: 1 });
  const first = await shop.start({ lanes: 1 });
  await shop.publish(count, { id: "a", by: 1, after: 20_000 });
  await shop.publish(count, { id: "b", by: 5, fail: true });
  await shop.world.advance(2_000);
  await told(shop, first.worker.close());
  await shop.publish(count, { id: "a", by: 2 });
  await shop.start({ services: [counter2], lanes: 1, build: "next" });
  await shop.world.advance(30_000);
  expect(await shop.read("counter", thing2("a"))).toMatchObject({ total: 3, rings: 10, units: ["old", "piece"] });
  expect(await shop.read("counter", thing2("b"))).toMatchObject({ total: 5, units: ["piece"] });
  expect(await shop.store.parkedKeys("counter")).toEqual([]);
});

test("an older build gives a lane back at a newer message, parks nothing, and a newer build takes it", async () => {
  const shop = await deploy({ partitions: 2 });
  const older = await shop.start({ lanes: 2 });
  const ids = [0, 1].map((partition) => idsIn(partition, 2, 1)[0]!);
  for (const id of ids) await shop.publish(count, { id, by: 1 });
  await shop.world.advance(1_000);
  for (const id of ids) await shop.publish(count2, { id, by: 2, unit: "kg" });
  await shop.world.advance(10_000);
  for (const id of ids) expect((await shop.read("counter", thing(id)))?.total).toBe(1);
  expect(await shop.store.parkedKeys("counter")).toEqual([]);
  expect(shop.world.lines.some(({ facts }) => facts?.["code"] === "LEVEL_TOO_LOW")).toBe(true);
  await shop.start({ services: [counter2, tallier], lanes: 2 });
  await shop.world.advance(20_000);
  await told(shop, older.worker.close());
  await shop.until("both are counted", async () => {
    for (const id of ids) if ((await shop.read("counter", thing2(id)))?.total !== 3) return false;
    return true;
  });
  for (const id of ids) expect((await shop.read("tallier", tally(id)))?.seen).toEqual([1, 3]);
});

test("a lane on which a newer build has written is not had by an older one, though nobody else lives", async () => {
  const shop = await deploy({ partitions: 1 });
  const newer = await shop.start({ services: [counter2], lanes: 1 });
  await shop.publish(count2, { id: "a", by: 1, unit: "kg" });
  await shop.world.advance(2_000);
  await told(shop, newer.worker.close());
  const older = await shop.start({ lanes: 1 });
  await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(20_000);
  expect(older.worker.lanes().map(({ service: name }) => name)).toEqual(["tallier"]);
  expect(await shop.read("counter", thing2("a"))).toMatchObject({ total: 1, units: ["kg"] });
});

test("lanes of the new level are all had by a build of that level while an older process still lives", async () => {
  const shop = await deploy({ partitions: 4 });
  const newer = await shop.start({ services: [counter2], lanes: 4 });
  const ids = [0, 1, 2, 3].map((partition) => idsIn(partition, 4, 1)[0]!);
  for (const id of ids) await shop.publish(count2, { id, by: 1, unit: "kg" });
  await shop.world.advance(2_000);
  newer.kill();
  await shop.start({ lanes: 4 });
  await shop.world.advance(6_000);
  const next = await shop.start({ services: [counter2], lanes: 4 });
  await shop.world.advance(5_000);
  expect(next.worker.lanes()).toHaveLength(4);
});

test("a type that a stamped topic's older reader has not heard of sends the lane to a newer build", async () => {
  const shop = await deploy({ partitions: 1 });
  const counts3 = topic("counts", { writers: ["counter"] });
  const renamed = event("thing.renamed", {
    topic: counts3,
    schema: type({ id: "string" }),
    subject: (m) => m.id,
    samples: [{ id: "a" }],
  });
  const renamer = service("counter", {
    sends: [renamed],
    on: [
      when(
        count,
        () => [],
        (m, _none, out) => void out.send(renamed, { id: m.id }),
      ),
    ],
  });
  await shop.start({ services: [renamer], lanes: 1 });
  const reader = await shop.start({ services: [tallier], lanes: 1 });
  await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(5_000);
  expect(await shop.store.parkedKeys("tallier")).toEqual([]);
  expect(shop.world.lines.some(({ facts }) => facts?.["code"] === "LEVEL_TOO_LOW")).toBe(true);
  await told(shop, reader.worker.close());
  // A build that knows the type passes it by.
  await shop.start({ services: [tallier], lanes: 1, types: [renamed] });
  await shop.until("it is passed by", async () => {
    const [position] = shop.store.snapshot().contents.services.get("tallier")!.positions.values();
    return position?.nextOffset === 1;
  });
  expect(await shop.store.parkedKeys("tallier")).toEqual([]);
});

test("a state that cannot be lifted parks who asks for it, and nobody else", async () => {
  const shop = await deploy({ partitions: 1 });
  const first = await shop.start({ lanes: 1 });
  for (const id of ["a", "b"]) await shop.publish(count, { id, by: 1 });
  await shop.world.advance(2_000);
  await told(shop, first.worker.close());
  const brittle = state<Count>("thing", {
    version: 2,
    upcasts: {
      1: (v1: Count & { id?: string }) => {
        if (v1.total === 1) throw new Error("cannot be lifted");
        return v1;
      },
    },
  });
  const build = service("counter", {
    level: 2,
    on: [
      when(
        count,
        (m) => [brittle(m.id)],
        (m, [held], out) => out.save(held, { total: m.by, rings: 0, answers: [] }),
      ),
    ],
  });
  await shop.start({ services: [build], lanes: 1 });
  await shop.publish(count, { id: "a", by: 1 });
  await shop.publish(count, { id: "c", by: 7 });
  await shop.until("c is counted", async () => (await shop.read("counter", brittle("c")))?.total === 7);
  expect(await shop.store.parkedKeys("counter")).toMatchObject([{ key: "a", error: "cannot be lifted" }]);
});
