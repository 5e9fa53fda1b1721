import { expect, test } from "vitest";
import { faultyStore, type CommitFault } from "@waybill/conformance";
import { service, WaybillError, when, type Batch, type Commit, type Store } from "@waybill/messaging";
import { count, counter, tally, tallier, thing } from "./counter.ts";
import { deathsMax, suspectIn, type Suspect } from "../src/lane/suspect.ts";
import { deploy, type Deployment } from "./deployment.ts";

const named = (id: string) => (batch: Batch) => batch.states.some((write) => write.id === id);

/** A store that refuses the batches that the test does not like, each time. */
function refusing(store: Store, refuses: (batch: Batch) => boolean, refused: Batch[]): Store {
  return {
    ...faultyStore(store, {}),
    commit(batch): Commit {
      if (!refuses(batch)) return store.commit(batch);
      refused.push(batch);
      const no = Promise.reject(new WaybillError("BATCH_REFUSED", "invalid input syntax"));
      no.catch(() => undefined);
      return { applied: no, durable: no };
    },
  };
}

async function publishSome(shop: Deployment, things: number, each: number): Promise<void> {
  for (let n = 0; n < things * each; n++) await shop.publish(count, { id: `t${n % things}`, by: 1 });
}

async function allTallied(shop: Deployment, things: number, each: number): Promise<void> {
  await shop.until("everything is tallied", async () => {
    for (let n = 0; n < things; n++) {
      if (((await shop.read("tallier", tally(`t${n}`)))?.seen.length ?? 0) < each) return false;
    }
    return true;
  });
  for (let n = 0; n < things; n++) {
    expect((await shop.read("counter", thing(`t${n}`)))?.total).toBe(each);
    expect((await shop.read("tallier", tally(`t${n}`)))?.seen).toEqual(Array.from({ length: each }, (_, at) => at + 1));
  }
}

test.each(["unknown-done", "unknown-not-done", "unavailable"] as const)(
  "a commit that answers %s is applied once",
  async (kind) => {
    const shop = await deploy();
    let commits = 0;
    const wrapStore = (store: Store): Store =>
      faultyStore(store, { commit: (): CommitFault | undefined => (commits++ % 3 === 0 ? { kind } : undefined) });
    await shop.start({ wrapStore, limits: { batchInputs: 2 } });
    await publishSome(shop, 4, 6);
    await allTallied(shop, 4, 6);
    expect(commits).toBeGreaterThan(6);
  },
);

test("a batch that the database refuses is halved down to the one input, and only that is parked", async () => {
  const shop = await deploy({ partitions: 1 });
  const refused: Batch[] = [];
  const isBad = named("bad");
  const wrapStore = (store: Store): Store => refusing(store, isBad, refused);
  for (let n = 0; n < 100; n++) await shop.publish(count, { id: `t${n % 20}`, by: 1 });
  await shop.publish(count, { id: "bad", by: 1 });
  for (let n = 0; n < 100; n++) await shop.publish(count, { id: `t${n % 20}`, by: 1 });
  const { worker } = await shop.start({ wrapStore, lanes: 1 });
  await allTallied(shop, 20, 10);
  expect(refused.length).toBeLessThanOrEqual(9);
  expect(await shop.store.parkedKeys("counter")).toMatchObject([{ key: "bad", error: "invalid input syntax" }]);
  expect(worker.lanes().map(({ parkedKeys }) => parkedKeys)).toEqual([1, 0]);
});

test("after a refused input batches grow again", async () => {
  const shop = await deploy({ partitions: 1 });
  const isBad = named("bad");
  const sizes: number[] = [];
  const wrapStore = (store: Store): Store => ({
    ...refusing(store, isBad, []),
    commit(batch) {
      if (batch.service === "counter") sizes.push(batch.inputs);
      return refusing(store, isBad, []).commit(batch);
    },
  });
  await shop.publish(count, { id: "bad", by: 1 });
  for (let n = 0; n < 200; n++) await shop.publish(count, { id: `t${n % 20}`, by: 1 });
  await shop.start({ wrapStore, lanes: 1, limits: { batchInputs: 32 } });
  await allTallied(shop, 20, 10);
  expect(Math.max(...sizes.slice(-5))).toBeGreaterThan(16);
});

test("a state that cannot be written as JSON parks its own input only", async () => {
  const shop = await deploy({ partitions: 1 });
  const odd = service("odd", {
    on: [
      when(
        count,
        (m) => [thing(m.id)],
        (m, [held], out) => {
          const total = (m.fail === true ? 1n : (held.value?.total ?? 0) + m.by) as number;
          out.save(held, { total, rings: 0, answers: [] });
        },
      ),
    ],
  });
  for (let n = 0; n < 10; n++) await shop.publish(count, { id: `t${n}`, by: 1, fail: n === 4 });
  await shop.start({ services: [odd], lanes: 1 });
  await shop.until("the last is counted", async () => (await shop.read("odd", thing("t9")))?.total === 1);
  expect((await shop.store.parkedKeys("odd")).map(({ key }) => key)).toEqual(["t4"]);
});

/** A process that dies whenever it is about to commit what this thing became. */
async function startDying(shop: Deployment, id: string): Promise<() => boolean> {
  let dead = false;
  const started = await shop.start({
    lanes: 1,
    limits: { batchInputs: 8 },
    wrapStore: (store) =>
      faultyStore(store, {
        commit: (batch) => {
          if (!named(id)(batch)) return undefined;
          dead = true;
          started.kill();
          return { kind: "unavailable" };
        },
      }),
  });
  return () => dead;
}

test("an input that kills process after process is found, and set aside unrun", async () => {
  const shop = await deploy({ partitions: 1 });
  await publishSome(shop, 3, 2);
  await shop.publish(count, { id: "deadly", by: 1 });
  await publishSome(shop, 3, 2);
  let deaths = 0;
  for (; deaths < 10 && (await suspectOf(shop))?.deaths !== deathsMax; deaths++) {
    const isDead = await startDying(shop, "deadly");
    await shop.until("it is dead", isDead);
    await shop.world.advance(6_000);
  }
  expect(deaths).toBeLessThanOrEqual(7);
  await shop.start({ lanes: 1 });
  await allTallied(shop, 3, 4);
  const [parked, ...others] = await shop.store.parkedKeys("counter");
  expect(parked).toMatchObject({ key: "deadly", fingerprint: "INPUT_FATAL message thing.count" });
  expect(others).toEqual([]);
});

test("an input that was being handled alone when the process was killed by chance is handled all the same", async () => {
  const shop = await deploy({ partitions: 1 });
  await publishSome(shop, 3, 2);
  await shop.publish(count, { id: "unlucky", by: 1 });
  while ((await suspectOf(shop))?.id === undefined) {
    const isDead = await startDying(shop, "unlucky");
    await shop.until("it is dead", isDead);
    await shop.world.advance(6_000);
  }
  await shop.start({ lanes: 1 });
  await shop.until("it is counted", async () => (await shop.read("counter", thing("unlucky")))?.total === 1);
  expect(await shop.store.parkedKeys("counter")).toEqual([]);
  expect(await suspectOf(shop)).toBeUndefined();
});

/** Whom the lane's row suspects of the last death; undefined also before there is a lane. */
async function suspectOf(shop: Deployment): Promise<Suspect | undefined> {
  const row = await shop.store.lane({ service: "counter", lane: 0, lanes: 1 }).catch(() => undefined);
  return suspectIn(row?.suspect);
}

test("a database that fails again and again does not make an input look deadly", async () => {
  const shop = await deploy({ partitions: 1 });
  await publishSome(shop, 3, 2);
  let failing = 12;
  const wrapStore = (store: Store): Store =>
    faultyStore(store, { commit: () => (failing-- > 0 ? { kind: "unavailable" } : undefined) });
  await shop.start({ wrapStore, lanes: 1 });
  await allTallied(shop, 3, 2);
  expect(await shop.store.parkedKeys("counter")).toEqual([]);
});

test("nothing that a paused process had begun is written after its lanes went to another", async () => {
  const shop = await deploy();
  let blocked: Promise<void> | undefined;
  let resume!: () => void;
  const wait = () => (blocked === undefined ? undefined : ({ kind: "delay", until: () => blocked! } as const));
  const wrapStore = (store: Store): Store => faultyStore(store, { commit: wait, call: wait });
  await shop.start({ wrapStore });
  await publishSome(shop, 4, 2);
  blocked = new Promise((resolve) => {
    resume = resolve;
  });
  await publishSome(shop, 4, 1);
  await shop.world.advance(6_000);
  await shop.start({ services: [counter, tallier] });
  await allTallied(shop, 4, 3);
  const before = shop.store.snapshot();
  resume();
  blocked = undefined;
  await shop.world.settle();
  const changed = (name: string) => [...shop.store.snapshot().contents.services.get(name)!.states];
  expect(changed("counter")).toEqual([...before.contents.services.get("counter")!.states]);
  await publishSome(shop, 4, 1);
  await allTallied(shop, 4, 4);
});
