import { expect, test } from "vitest";
import { faultyStore } from "@waybill/conformance";
import { effect, service, whenSettled, type EffectAdapter, type Store } from "@waybill/messaging";
import { deploy, type Deployment, type Process } from "./deployment.ts";
import { charge, clerk, desk, job, line, lines, never, yes, type Asked, type Line } from "./desk.ts";

const clerks = (some: Parameters<typeof lines>[0]): Partial<Process> => ({
  services: [clerk],
  lanes: 1,
  adapters: lines(some),
});

async function answers(shop: Deployment, id: string): Promise<readonly string[]> {
  return (await shop.read("clerk", desk(id)))?.answers ?? [];
}

async function answered(shop: Deployment, id: string, atLeast = 1): Promise<readonly string[]> {
  await shop.until(`${id} is answered`, async () => (await answers(shop, id)).length >= atLeast);
  return answers(shop, id);
}

const whats = (of: Line): string[] => of.calls.map(({ what }) => what);

/** A process whose charge is under way for ever, killed and given up by the others. */
async function killedInFlight(shop: Deployment, does: "charge" | "letter" | "hint" = "charge"): Promise<Line> {
  const hanging = line(never);
  const started = await shop.start(clerks({ [does]: hanging }));
  await shop.publish(job, { id: "a", n: 1, does });
  await shop.until("the call is under way", () => hanging.calls.length === 1);
  started.kill();
  await shop.world.advance(6_000);
  return hanging;
}

test("a call that was under way at a takeover is asked for where the other side can be asked", async () => {
  const shop = await deploy();
  await killedInFlight(shop);
  const asking = line(yes, {
    idempotent: "find",
    find: async () => ({ kind: "done", value: "found" }),
  });
  await shop.start(clerks({ charge: asking }));
  expect(await answered(shop, "a")).toEqual(["1 done found"]);
  expect(asking.calls).toEqual([]);
});

test("a call that the other side never saw is made again", async () => {
  const shop = await deploy();
  await killedInFlight(shop);
  const asking = line(yes, { idempotent: "find", find: async () => undefined });
  await shop.start(clerks({ charge: asking }));
  expect(await answered(shop, "a")).toEqual(["1 done yes"]);
});

test("a call that was under way at a takeover is repeated with its key", async () => {
  const shop = await deploy();
  const before = await killedInFlight(shop);
  const again = line(yes);
  await shop.start(clerks({ charge: again }));
  expect(await answered(shop, "a")).toEqual(["1 done yes"]);
  expect(again.calls.map(({ key }) => key)).toEqual(before.calls.map(({ key }) => key));
});

test("a key is not used again after the other side has forgotten it: the outcome is unknown", async () => {
  const shop = await deploy();
  await killedInFlight(shop);
  await shop.world.advance(3_600_000);
  const forgetful = line(yes, { keyTtlMs: 3_600_000 });
  await shop.start(clerks({ charge: forgetful }));
  expect((await answered(shop, "a"))[0]).toMatch(/^1 unknown The other side may have forgotten/);
  expect(forgetful.calls).toEqual([]);
});

test("a call that fails for longer than its key is remembered ends as unknown", async () => {
  const shop = await deploy();
  const failing = line(async () => Promise.reject(new Error("504")), { keyTtlMs: 600_000 });
  await shop.start(clerks({ charge: failing }));
  await shop.publish(job, { id: "a", n: 1, does: "charge" });
  expect((await answered(shop, "a"))[0]).toMatch(/^1 unknown/);
  const nowMs = shop.store.nowMs();
  const calls = failing.calls.length;
  await shop.world.advance(3_600_000);
  expect(failing.calls.length).toBe(calls);
  expect(nowMs).toBeGreaterThan(600_000);
});

test("an effect that has waited long behind another is called all the same", async () => {
  const shop = await deploy();
  let isUp = false;
  const slow = line(async () => (isUp ? { kind: "done", value: "yes" } : { kind: "again", reason: "closed" }), {
    keyTtlMs: 60_000,
  });
  await shop.start(clerks({ charge: slow }));
  for (let n = 1; n <= 2; n++) await shop.publish(job, { id: "a", n, does: "charge" });
  await shop.world.advance(300_000);
  isUp = true;
  expect(await answered(shop, "a", 2)).toEqual(["1 done yes", "2 done yes"]);
});

test("what is done at most once is not repeated after a takeover, and was marked before", async () => {
  const shop = await deploy();
  await killedInFlight(shop, "letter");
  const second = line(yes);
  await shop.start(clerks({ letter: second }));
  expect((await answered(shop, "a"))[0]).toMatch(/^1 unknown The call was interrupted/);
  expect(second.calls).toEqual([]);
});

test("what was to be done at most once and never begun is begun by the next owner", async () => {
  const shop = await deploy();
  const busy = line(never, { concurrency: 1 });
  const first = await shop.start(clerks({ letter: busy }));
  await shop.publish(job, { id: "a", n: 1, does: "letter" });
  await shop.until("the line is busy", () => busy.calls.length === 1);
  await shop.publish(job, { id: "b", n: 1, does: "letter" });
  first.kill();
  await shop.world.advance(6_000);
  await shop.start(clerks({}));
  expect(await answered(shop, "b")).toEqual(["1 done yes"]);
});

test("what is tried for a limited time is given up after it", async () => {
  const shop = await deploy();
  await shop.start(clerks({ hint: line(async () => ({ kind: "again", reason: "closed" })) }));
  await shop.publish(job, { id: "a", n: 1, does: "hint" });
  expect((await answered(shop, "a"))[0]).toMatch(/^1 refused Given up after \d+ ms: closed/);
});

test("a call that does not answer is cut off, and asked about", async () => {
  const shop = await deploy();
  const asking = line(never, {
    timeoutMs: 5_000,
    idempotent: "find",
    find: async () => ({ kind: "done", value: "found" }),
  });
  await shop.start(clerks({ charge: asking }));
  await shop.publish(job, { id: "a", n: 1, does: "charge" });
  expect(await answered(shop, "a")).toEqual(["1 done found"]);
  expect(asking.calls).toHaveLength(1);
});

test("the effects of one entity and queue run one after the other, those of others beside them", async () => {
  const shop = await deploy();
  const waiting = new Map<string, () => void>();
  const slow = line(
    ({ id, n }) =>
      new Promise((resolve) => {
        waiting.set(`${id} ${n}`, () => resolve({ kind: "done", value: "yes" }));
      }),
  );
  await shop.start(clerks({ charge: slow }));
  for (const n of [1, 2]) for (const id of ["a", "b"]) await shop.publish(job, { id, n, does: "charge" });
  await shop.until("both are called", () => waiting.size === 2);
  await shop.world.advance(2_000);
  expect(whats(slow)).toEqual(["a 1", "b 1"]);
  waiting.get("b 1")!();
  await shop.until("b's second is called", () => waiting.has("b 2"));
  expect(waiting.has("a 2")).toBe(false);
});

test("an earlier effect of an entity that a takeover still looks up is not overtaken by a new one", async () => {
  const shop = await deploy();
  await killedInFlight(shop);
  let release!: () => void;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const wrapStore = (store: Store): Store =>
    faultyStore(store, {
      call: (name) => (name === "effectHeads" ? { kind: "delay", until: () => held } : undefined),
    });
  const second = line(yes);
  await shop.start({ ...clerks({ charge: second }), wrapStore });
  await shop.publish(job, { id: "a", n: 2, does: "charge" });
  await shop.world.advance(2_000);
  release();
  expect(await answered(shop, "a", 2)).toEqual(["1 done yes", "2 done yes"]);
  expect(whats(second)).toEqual(["a 1", "a 2"]);
});

test("a former owner's late result is nothing", async () => {
  const shop = await deploy();
  let answer!: () => void;
  const late = line(
    () =>
      new Promise((resolve) => {
        answer = () => resolve({ kind: "done", value: "late" });
      }),
  );
  let blocked: Promise<void> | undefined;
  let resume!: () => void;
  const wait = () => (blocked === undefined ? undefined : ({ kind: "delay", until: () => blocked! } as const));
  await shop.start({
    ...clerks({ charge: late }),
    wrapStore: (store) => faultyStore(store, { commit: wait, call: wait }),
  });
  await shop.publish(job, { id: "a", n: 1, does: "charge" });
  await shop.until("the call is under way", () => late.calls.length === 1);
  blocked = new Promise((resolve) => {
    resume = resolve;
  });
  await shop.world.advance(6_000);
  await shop.start(clerks({}));
  expect(await answered(shop, "a")).toEqual(["1 done yes"]);
  answer();
  blocked = undefined;
  resume();
  await shop.world.advance(10_000);
  expect(await answers(shop, "a")).toEqual(["1 done yes"]);
});

test("results that come while a lane closes are asked for by the next owner", async () => {
  const shop = await deploy();
  let answer!: () => void;
  const slow = line(
    () =>
      new Promise((resolve) => {
        answer = () => resolve({ kind: "done", value: "yes" });
      }),
  );
  const { worker } = await shop.start(clerks({ charge: slow }));
  await shop.publish(job, { id: "a", n: 1, does: "charge" });
  await shop.until("the call is under way", () => slow.calls.length === 1);
  const closing = worker.close();
  answer();
  await shop.world.advance(10);
  await closing;
  expect(await answers(shop, "a")).toEqual([]);
  await shop.start(clerks({}));
  expect(await answered(shop, "a")).toEqual(["1 done yes"]);
});

test("a failed attempt is written down, and never in the batch that ends the effect", async () => {
  const shop = await deploy();
  const third = line(async (_asked, attempt) =>
    attempt < 3 ? { kind: "again", reason: "busy", afterMs: 10 } : { kind: "done", value: "yes" },
  );
  await shop.start(clerks({ charge: third }));
  await shop.publish(job, { id: "a", n: 1, does: "charge" });
  expect(await answered(shop, "a")).toEqual(["1 done yes"]);
  expect(third.calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
});

test("more entities than memory holds all get their turn", async () => {
  const shop = await deploy({ partitions: 1 });
  let isUp = false;
  const slow = line(
    async () => {
      while (!isUp) await shop.world.sleep(1_000);
      return { kind: "done", value: "yes" };
    },
    { keyTtlMs: 1_000 },
  );
  const { worker } = await shop.start(clerks({ charge: slow }));
  const entities = 2_600;
  await publishMany(shop, entities);
  await shop.world.advance(2_000);
  expect(worker.lanes()[0]!.effects).toBeLessThanOrEqual(2_048);
  expect(slow.open.most).toBeLessThanOrEqual(32);
  isUp = true;
  await shop.until("all are called", () => slow.calls.length >= entities);
  await shop.world.advance(5_000);
  expect(new Set(whats(slow)).size).toBe(entities);
  expect(slow.calls).toHaveLength(entities);
  expect(await answers(shop, `e${entities - 1}`)).toEqual(["1 done yes"]);
});

async function publishMany(shop: Deployment, entities: number): Promise<void> {
  for (let n = 0; n < entities; n += 200) {
    const some = Array.from({ length: 200 }, (_, at) =>
      shop.publisher.publish(job, { id: `e${n + at}`, n: 1, does: "charge" }),
    );
    await shop.world.settle();
    await Promise.all(some);
  }
}

test("a queue that is stuck with more entities than memory holds does not hold up another", async () => {
  const shop = await deploy({ partitions: 1 });
  const stuck = () => line(never, { timeoutMs: 1e9 });
  const first = await shop.start(clerks({ charge: stuck(), letter: stuck() }));
  await publishMany(shop, 2_400);
  await shop.publish(job, { id: "a", n: 1, does: "letter" });
  await shop.world.advance(100);
  first.kill();
  await shop.world.advance(6_000);
  const letters = line(yes);
  await shop.start(clerks({ charge: stuck(), letter: letters }));
  await shop.world.advance(1_000);
  await shop.publish(job, { id: "a", n: 2, does: "letter" });
  expect(await answered(shop, "a", 2)).toEqual(["1 done yes", "2 done yes"]);
});

test("a long queue of one entity runs in order", async () => {
  const shop = await deploy({ partitions: 1 });
  let isUp = false;
  const slow = line(async () => {
    while (!isUp) await shop.world.sleep(500);
    return { kind: "done", value: "yes" };
  });
  await shop.start(clerks({ charge: slow }));
  const long = 400;
  for (let n = 1; n <= long; n++) await shop.publish(job, { id: "a", n, does: "charge" });
  isUp = true;
  await answered(shop, "a", long);
  expect(whats(slow)).toEqual(Array.from({ length: long }, (_, at) => `a ${at + 1}`));
});

test("a limit on calls at once is the whole shop's, and each lane has its part", async () => {
  const shop = await deploy();
  const slow = line(never, { concurrency: 4, timeoutMs: 1e9 });
  await shop.start({ ...clerks({ charge: slow }), lanes: 2 });
  for (let n = 0; n < 40; n++) await shop.publish(job, { id: `e${n}`, n: 1, does: "charge" });
  await shop.world.advance(3_000);
  expect(slow.open.most).toBe(4);
});

test("an effect that an older build recorded is lifted before it is called", async () => {
  const shop = await deploy();
  await killedInFlight(shop);
  const newer = effect<{ who: string; n: number }, string>("charge", {
    queue: "gateway",
    version: 2,
    upcasts: { 1: (v1: Asked) => ({ who: v1.id, n: v1.n }) },
  });
  const asked: unknown[] = [];
  const settled: unknown[] = [];
  const build = service("clerk", {
    level: 2,
    on: [
      whenSettled(
        newer,
        () => [],
        (r) => void settled.push(r.input),
      ),
    ],
  });
  const adapter: EffectAdapter<{ who: string; n: number }, string> = {
    idempotent: "key",
    keyTtlMs: 86_400_000,
    call: async (input) => {
      asked.push(input);
      return { kind: "done", value: "yes" };
    },
  };
  await shop.start({ services: [build], lanes: 1, adapters: { charge: adapter } });
  await shop.until("it is settled", () => settled.length === 1);
  expect(asked).toEqual([{ who: "a", n: 1 }]);
  expect(settled).toEqual([{ who: "a", n: 1 }]);
});

test("an effect needs hands that can do it safely", async () => {
  const shop = await deploy();
  const starting = async (adapter: Partial<EffectAdapter<Asked, string>> | undefined) => {
    const adapters = adapter === undefined ? {} : { ...lines({}), charge: { call: yes, ...adapter } };
    await shop.start({ services: [clerk], adapters: adapters as Record<string, Line> });
  };
  await expect(starting(undefined)).rejects.toMatchObject({ code: "EFFECT_UNBOUND" });
  await expect(starting({ idempotent: "none" })).rejects.toMatchObject({ code: "EFFECT_UNSAFE" });
  await expect(starting({ idempotent: "key" })).rejects.toMatchObject({ code: "EFFECT_UNSAFE" });
  await expect(starting({ idempotent: "find" })).rejects.toMatchObject({ code: "EFFECT_UNSAFE" });
  expect(charge.money).toBe(true);
});

test("effects that could not be looked up at a takeover are not passed, and not forgotten", async () => {
  const shop = await deploy();
  await killedInFlight(shop);
  let failing = 3;
  const wrapStore = (store: Store): Store =>
    faultyStore(store, {
      call: (name) => (name === "effectHeads" && failing-- > 0 ? { kind: "unavailable" } : undefined),
    });
  const second = line(yes);
  await shop.start({ ...clerks({ charge: second }), wrapStore });
  await shop.publish(job, { id: "a", n: 2, does: "charge" });
  expect(await answered(shop, "a", 2)).toEqual(["1 done yes", "2 done yes"]);
  expect(whats(second)).toEqual(["a 1", "a 2"]);
});

test("an effect behind another that could not be looked up is not forgotten", async () => {
  const shop = await deploy();
  await killedInFlight(shop);
  await shop.start({ services: [clerk], lanes: 1, adapters: lines({ charge: line(never) }) }).then(async (process) => {
    await shop.publish(job, { id: "a", n: 2, does: "charge" });
    await shop.world.advance(1_000);
    process.kill();
    await shop.world.advance(6_000);
  });
  let failing = 3;
  const wrapStore = (store: Store): Store =>
    faultyStore(store, {
      call: (name) => (name === "nextEffect" && failing-- > 0 ? { kind: "unavailable" } : undefined),
    });
  await shop.start({ ...clerks({}), wrapStore });
  expect(await answered(shop, "a", 2)).toEqual(["1 done yes", "2 done yes"]);
});
