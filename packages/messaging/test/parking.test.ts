import { expect, test } from "vitest";
import { faultyStore } from "@waybill/conformance";
import { service, when, whenDue, type Store } from "@waybill/messaging";
import { bell, count, counter, countIn, tally, tallier, thing } from "./counter.ts";
import { deploy, type Deployment } from "./deployment.ts";
import { bill, openBill, payBill, till } from "./till.ts";

async function totalOf(shop: Deployment, id: string): Promise<number | undefined> {
  return (await shop.read("counter", thing(id)))?.total;
}

async function parkedOf(shop: Deployment, name = "counter"): Promise<readonly string[]> {
  return (await shop.store.parkedKeys(name)).map(({ key }) => key);
}

/** Answers when the world has moved on enough for it. */
async function told<T>(shop: Deployment, answer: Promise<T>): Promise<T> {
  await shop.world.settle();
  return answer;
}

const repaired = (id: string) => JSON.stringify({ id, by: 1 });

test("a handler that fails half-way changes nothing", async () => {
  const shop = await deploy();
  await shop.start();
  await shop.publish(count, { id: "a", by: 1 });
  await shop.publish(count, { id: "a", by: 5, fail: true, call: true, after: 1_000 });
  await shop.publish(count, { id: "b", by: 1 });
  await shop.until("b is counted", async () => (await totalOf(shop, "b")) === 1);
  await shop.world.advance(5_000);
  expect(await shop.read("counter", thing("a"))).toEqual({ total: 1, rings: 0, answers: [] });
  expect((await shop.read("tallier", tally("a")))?.seen).toEqual([1]);
});

test("a handler that changes a stored state in place is found out", async () => {
  const shop = await deploy();
  const first = await shop.start();
  await shop.publish(count, { id: "a", by: 1 });
  await shop.until("a is counted", async () => (await totalOf(shop, "a")) === 1);
  await told(shop, first.worker.close());
  const careless = service("counter", {
    on: [
      when(
        count,
        (m) => [thing(m.id)],
        (m, [held]) => {
          (held.value as { total: number }).total += m.by;
        },
      ),
    ],
  });
  await shop.publish(count, { id: "a", by: 1 });
  await shop.start({ services: [careless] });
  await shop.until("it is parked", async () => (await parkedOf(shop)).length === 1);
  expect((await shop.store.parkedKeys("counter"))[0]!.error).toMatch(/read only/);
});

test("a redriven key and new messages for it in one batch keep their order", async () => {
  const shop = await deploy({ partitions: 1 });
  const { worker } = await shop.start({ lanes: 1 });
  await shop.publish(count, { id: "a", by: 1, fail: true });
  for (let n = 0; n < 3; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.until("a is parked", async () => (await parkedOf(shop)).length === 1);
  const redriven = worker.redrive("counter", "a", repaired("a"));
  const published = [
    shop.publisher.publish(count, { id: "a", by: 10 }),
    shop.publisher.publish(count, { id: "a", by: 100 }),
  ];
  await shop.world.settle();
  await Promise.all([redriven, ...published]);
  await shop.until("all is tallied", async () => (await shop.read("tallier", tally("a")))?.seen.at(-1) === 114);
  expect((await shop.read("tallier", tally("a")))?.seen).toEqual([1, 2, 3, 4, 14, 114]);
  expect(await parkedOf(shop)).toEqual([]);
});

test("a redriven key that fails again keeps everything behind it", async () => {
  const shop = await deploy({ partitions: 1 });
  const { worker } = await shop.start({ lanes: 1 });
  await shop.publish(count, { id: "a", by: 1, fail: true });
  await shop.publish(count, { id: "a", by: 2 });
  await shop.until("a is parked", async () => (await parkedOf(shop)).length === 1);
  expect(await told(shop, worker.redrive("counter", "a"))).toBe(true);
  await shop.publish(count, { id: "a", by: 3 });
  await shop.world.advance(2_000);
  expect(await totalOf(shop, "a")).toBeUndefined();
  const rows = await shop.store.parked("counter", 0, "a", 0, 10);
  expect(rows.map(({ body }) => (JSON.parse(body as string) as { by: number }).by)).toEqual([1, 2, 3]);
  expect((await shop.store.parkedKeys("counter"))[0]!.attempts).toBe(2);
});

test("a redriven key with more inputs than a batch holds is emptied", async () => {
  const shop = await deploy({ partitions: 1 });
  const { worker } = await shop.start({ lanes: 1, limits: { batchInputs: 4 } });
  await shop.publish(count, { id: "a", by: 1, fail: true });
  for (let n = 0; n < 20; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.until("all are parked", async () => (await shop.store.parked("counter", 0, "a", 0, 100)).length === 21);
  await told(shop, worker.redrive("counter", "a", repaired("a")));
  await shop.until("all is counted", async () => (await totalOf(shop, "a")) === 21);
  expect(await parkedOf(shop)).toEqual([]);
});

test("one input of a parked key can be given up, and the key is free when it was the last", async () => {
  const shop = await deploy({ partitions: 1 });
  const { worker } = await shop.start({ lanes: 1 });
  await shop.publish(count, { id: "a", by: 1, fail: true });
  await shop.until("a is parked", async () => (await parkedOf(shop)).length === 1);
  const [row] = await shop.store.parked("counter", 0, "a", 0, 10);
  expect(await told(shop, worker.discard("counter", "a", row!.seq + 1))).toBe(false);
  expect(await told(shop, worker.discard("counter", "a", row!.seq))).toBe(true);
  expect(await told(shop, worker.redrive("counter", "a"))).toBe(false);
  await shop.publish(count, { id: "a", by: 4 });
  await shop.until("a is counted", async () => (await totalOf(shop, "a")) === 4);
});

test("timers of a parked entity wait in their table, and results behind what is parked", async () => {
  const shop = await deploy({ partitions: 1 });
  let answer!: () => void;
  const adapters = {
    call: {
      idempotent: "key" as const,
      keyTtlMs: 1e9,
      call: () =>
        new Promise<{ kind: "done"; value: string }>((resolve) => {
          answer = () => resolve({ kind: "done", value: "late" });
        }),
    },
  };
  const { worker } = await shop.start({ lanes: 1, adapters });
  await shop.publish(count, { id: "a", by: 1, call: true, after: 1_000 });
  await shop.until("the call is under way", () => answer !== undefined);
  await shop.publish(count, { id: "a", by: 1, fail: true });
  await shop.until("a is parked", async () => (await parkedOf(shop)).length === 1);
  answer();
  await shop.world.advance(5_000);
  expect(await shop.read("counter", thing("a"))).toEqual({ total: 1, rings: 0, answers: [] });
  const rows = await shop.store.parked("counter", 0, "a", 0, 10);
  expect(rows.map(({ kind }) => kind).toSorted()).toEqual(["message", "result"]);
  expect(await shop.store.nextTimer({ service: "counter", lane: 0, lanes: 1 })).toBeDefined();
  await told(shop, worker.redrive("counter", "a", repaired("a")));
  await shop.until("it is emptied", async () => (await parkedOf(shop)).length === 0);
  expect(await shop.read("counter", thing("a"))).toEqual({ total: 2, rings: 1, answers: ["late"] });
});

test("a timer that falls due while its entity is parked and is then cleared does not fire", async () => {
  const shop = await deploy({ partitions: 1 });
  const clearing = service("counter", {
    on: [
      when(
        count,
        (m) => [thing(m.id)],
        (m, [held], out) => {
          if (m.fail === true) throw new Error("not now");
          if (m.after === undefined) out.clear(bell);
          else out.at(bell, out.nowMs + m.after);
          out.save(held, { total: m.by, rings: held.value?.rings ?? 0, answers: [] });
        },
      ),
      whenDue(
        bell,
        (t) => [thing(t.key)],
        (_t, [held], out) => out.save(held, { ...held.value!, rings: held.value!.rings + 1 }),
      ),
    ],
  });
  const { worker } = await shop.start({ services: [clearing], lanes: 1 });
  await shop.publish(count, { id: "a", by: 1, after: 1_000 });
  await shop.publish(count, { id: "a", by: 2, fail: true });
  await shop.world.advance(5_000);
  expect(await told(shop, worker.redrive("counter", "a", repaired("a")))).toBe(true);
  await shop.until("it is emptied", async () => (await parkedOf(shop)).length === 0);
  await shop.world.advance(5_000);
  expect((await shop.read("counter", thing("a")))?.rings).toBe(0);
});

test("what came too early waits a moment, and goes on when what it waits for has come", async () => {
  const shop = await deploy();
  await shop.start({ services: [till], lanes: 1 });
  await shop.publish(payBill, { id: "a" });
  await shop.world.advance(30_000);
  expect(await parkedOf(shop, "till")).toEqual(["a"]);
  const attempts = (await shop.store.parkedKeys("till"))[0]!.attempts;
  expect(attempts).toBeGreaterThan(2);
  expect(attempts).toBeLessThan(10);
  await shop.publish(openBill, { id: "a" });
  await shop.world.advance(1_000);
  expect((await shop.read("till", bill("a")))?.is).toBe("paid");
  expect(await parkedOf(shop, "till")).toEqual([]);
});

test("what only waits is not passed by another of its topic, nor by a timer", async () => {
  const shop = await deploy({ partitions: 1 });
  const seen: string[] = [];
  const patient = service("counter", {
    on: [
      when(
        count,
        (m) => [thing(m.id)],
        (m, [held], out) => {
          if (m.after !== undefined) {
            out.at(bell, out.nowMs + m.after);
            return;
          }
          seen.push(`count ${m.by}`);
          if (held.value === undefined && m.by === 1) out.notYet("nothing there");
        },
      ),
      whenDue(
        bell,
        (t) => [thing(t.key)],
        () => void seen.push("bell"),
      ),
    ],
  });
  await shop.start({ services: [patient], lanes: 1 });
  await shop.publish(count, { id: "a", by: 0, after: 2_000 });
  await shop.publish(count, { id: "a", by: 1 });
  await shop.publish(count, { id: "a", by: 2 });
  await shop.world.advance(20_000);
  expect(new Set(seen)).toEqual(new Set(["count 1"]));
  expect(countIn.door).toBe(true);
});

test("another build tries what was parked, the oldest first, and stops at one that still fails", async () => {
  const shop = await deploy({ partitions: 1 });
  const first = await shop.start({ lanes: 1 });
  for (const id of ["a", "b", "c"]) {
    await shop.publish(count, { id, by: 1, fail: true });
    await shop.world.advance(100);
  }
  await told(shop, first.worker.close());
  const order: string[] = [];
  const fixed = service("counter", {
    on: [
      when(
        count,
        (m) => [thing(m.id)],
        (m, [held], out) => {
          order.push(m.id);
          if (m.id === "c") throw new Error("still broken");
          out.save(held, { total: m.by, rings: 0, answers: [] });
        },
      ),
    ],
  });
  await shop.start({ services: [fixed], lanes: 1, build: "next" });
  await shop.until("two are counted", async () => (await totalOf(shop, "b")) === 1);
  await shop.world.advance(60_000);
  expect(order).toEqual(["a", "b", "c"]);
  expect(await shop.store.parkedKeys("counter")).toMatchObject([{ key: "c", build: "next", attempts: 2 }]);
});

test("a lane with too many parked keys stops, says why, and goes on when it is resumed", async () => {
  const shop = await deploy({ partitions: 1 });
  const { worker } = await shop.start({ lanes: 1, limits: { parking: { keysMax: 2, inputsMax: 100 } } });
  for (const id of ["a", "b", "c"]) await shop.publish(count, { id, by: 1, fail: true });
  await shop.publish(count, { id: "fine", by: 1 });
  await shop.world.advance(5_000);
  const lane = { service: "counter", lane: 0, lanes: 1 };
  const { stopped, owner } = await shop.store.lane(lane);
  expect(stopped).toMatch(/^PARKING_FULL: More than 2 keys/);
  expect(owner).toBeUndefined();
  expect(await totalOf(shop, "fine")).toBeUndefined();
  await told(shop, worker.close());
  await shop.start({ lanes: 1 });
  await shop.world.advance(5_000);
  expect(await totalOf(shop, "fine")).toBeUndefined();
  await shop.store.resume(lane);
  await shop.until("it goes on", async () => (await totalOf(shop, "fine")) === 1);
  expect((await parkedOf(shop)).toSorted()).toEqual(["a", "b", "c"]);
});

test("a lane stops when too much queues behind one parked key", async () => {
  const shop = await deploy({ partitions: 1 });
  await shop.start({ lanes: 1, limits: { parking: { keysMax: 100, inputsMax: 5 } } });
  await shop.publish(count, { id: "a", by: 1, fail: true });
  for (let n = 0; n < 5; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.world.advance(3_000);
  expect((await shop.store.lane({ service: "counter", lane: 0, lanes: 1 })).stopped).toMatch(
    /^PARKING_FULL: More than 5 inputs wait behind the parked key "a"/,
  );
});

test("a lane on which most keys fail stops, and a resumed one with a better build goes on", async () => {
  const shop = await deploy({ partitions: 1 });
  let isBroken = true;
  const broken = service("counter", {
    on: [
      when(
        count,
        (m) => [thing(m.id)],
        (m, [held], out) => {
          if (isBroken) throw new Error("bad build");
          out.save(held, { total: m.by, rings: 0, answers: [] });
        },
      ),
    ],
  });
  const first = await shop.start({ services: [broken], lanes: 1 });
  for (let n = 0; n < 80; n++) await shop.publish(count, { id: `t${n}`, by: 1 });
  await shop.world.advance(3_000);
  const lane = { service: "counter", lane: 0, lanes: 1 };
  expect((await shop.store.lane(lane)).stopped).toMatch(/^MOST_KEYS_FAIL: \d+ of the last \d+ keys failed/);
  expect((await parkedOf(shop)).length).toBeLessThan(80);
  await told(shop, first.worker.close());
  isBroken = false;
  await shop.store.resume(lane);
  await shop.start({ services: [broken], lanes: 1, build: "better" });
  await shop.until("all are counted", async () => {
    for (let n = 0; n < 80; n++) if ((await totalOf(shop, `t${n}`)) !== 1) return false;
    return true;
  });
  expect(await parkedOf(shop)).toEqual([]);
});

test("states that turn up while a batch runs are loaded then, and those found before are not trusted", async () => {
  const shop = await deploy({ partitions: 1 });
  let loads = 0;
  const following = service("counter", {
    on: [
      when(
        count,
        (m) => [thing(m.id)],
        (_m, [held]) => [thing(`behind-${held.value?.total ?? 0}`)],
        (m, [held], [behind], out) => {
          out.save(held, { total: (held.value?.total ?? 0) + m.by, rings: 0, answers: [] });
          out.save(behind, { total: (behind.value?.total ?? 0) + 1, rings: 0, answers: [] });
        },
      ),
    ],
  });
  const wrapStore = (store: Store): Store =>
    faultyStore(store, { call: (name) => void (name === "load" && (loads += 1)) });
  for (let n = 0; n < 4; n++) await shop.publish(count, { id: "a", by: 1 });
  await shop.start({ services: [following], lanes: 1, wrapStore });
  await shop.until("a is counted", async () => (await totalOf(shop, "a")) === 4);
  for (let n = 0; n < 4; n++) expect(await totalOf(shop, `behind-${n}`)).toBe(1);
  expect(loads).toBeLessThanOrEqual(6);
});

test("a state that another lane owns is refused with both keys in the text", async () => {
  const shop = await deploy();
  const shared = service("counter", {
    on: [
      when(
        count,
        () => [thing("shared")],
        (m, [held], out) => {
          out.save(held, { total: (held.value?.total ?? 0) + m.by, rings: 0, answers: [] });
        },
      ),
    ],
  });
  await shop.start({ services: [shared], lanes: 4 });
  for (let n = 0; n < 8; n++) {
    await shop.publish(count, { id: `t${n}`, by: 1 });
    await shop.world.advance(100);
  }
  const parked = await shop.store.parkedKeys("counter");
  expect(parked.length).toBeGreaterThan(0);
  for (const { key, error, fingerprint } of parked) {
    expect(fingerprint).toMatch(/^STATE_ELSEWHERE/);
    expect(error).toMatch(new RegExp(`thing shared belongs to lane \\d.*${key} is handled by lane \\d`));
  }
  expect(await totalOf(shop, "shared")).toBe(8 - parked.length);
  expect([counter.name, tallier.name]).toHaveLength(2);
});
