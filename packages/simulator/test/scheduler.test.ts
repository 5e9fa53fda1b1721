import { expect, test } from "vitest";
import { Network, rolls, Scheduler, SimulatedProcess, calm } from "@waybill/simulator";

/** What happens in a small world of this seed, in order. */
async function lived(seed: number): Promise<{ said: string[]; hash: string }> {
  const scheduler = new Scheduler(seed);
  const said: string[] = [];
  for (const name of ["a", "b", "c", "d", "e"]) scheduler.after(10, () => said.push(`${name} ${scheduler.nowMs}`));
  scheduler.after(5, () => void Promise.resolve().then(() => said.push(`first ${scheduler.nowMs}`)));
  await scheduler.run(1_000);
  return { said, hash: scheduler.trace.hash };
}

test("things happen at their time, those of one moment in an order that the seed chooses", async () => {
  const first = await lived(1);
  expect(first.said[0]).toBe("first 5");
  expect(first.said.slice(1).toSorted()).toEqual(["a 10", "b 10", "c 10", "d 10", "e 10"]);
  expect(await lived(1)).toEqual(first);
  const orders = await Promise.all([2, 3, 4, 5].map(async (seed) => (await lived(seed)).said.join()));
  expect(new Set(orders).size).toBeGreaterThan(1);
});

test("what was called off does not happen, and time goes on to the end that was asked for", async () => {
  const scheduler = new Scheduler(1);
  let happened = 0;
  const pending = scheduler.after(10, () => happened++);
  scheduler.after(20, () => happened++);
  pending.run = undefined;
  await scheduler.run(15);
  expect([happened, scheduler.nowMs]).toEqual([0, 15]);
  await scheduler.run(25);
  expect(happened).toBe(1);
});

test("what never lets time pass is found out", async () => {
  const scheduler = new Scheduler(1);
  const again = (): void => void scheduler.after(0, again);
  again();
  await expect(scheduler.run(10)).rejects.toThrow("no time passes");
});

function processes() {
  const scheduler = new Scheduler(7);
  const network = new Network(scheduler, { ...calm(), slow: 0 }, rolls(7, "network"));
  const process = new SimulatedProcess("p0", scheduler, rolls(7, "chance"), () => {});
  return { scheduler, network, process };
}

test("a killed process never hears of what it asked, though it is done", async () => {
  const { scheduler, network, process } = processes();
  const done: string[] = [];
  for (let n = 0; n < 40; n++) {
    void network.call(process, undefined, () => done.push("done")).then(() => done.push("heard"));
    void process.world.sleep(5).then(() => done.push("woke"));
  }
  process.kill();
  await scheduler.run(1_000);
  expect(new Set(done)).toEqual(new Set(["done"]));
  expect(done).toHaveLength(40);
});

test("a paused process goes on later, with everything that reached it meanwhile", async () => {
  const { scheduler, process } = processes();
  const woke: number[] = [];
  process.pause(1_000);
  void process.world.sleep(5).then(() => woke.push(scheduler.nowMs));
  void process.world.sleep(2_000).then(() => woke.push(scheduler.nowMs));
  await scheduler.run(5_000);
  expect(woke).toEqual([1_000, 2_000]);
});

test("a sleep ends early when its signal is aborted, and leaves nothing behind", async () => {
  const { scheduler, process } = processes();
  const controller = new AbortController();
  let woke = -1;
  void process.world.sleep(5_000, controller.signal).then(() => (woke = scheduler.nowMs));
  scheduler.after(7, () => controller.abort());
  await scheduler.run(10);
  expect(woke).toBe(7);
});

test("a process dies at the call that its death was set for, before it is made or after", async () => {
  for (const when of ["before", "after"] as const) {
    const { scheduler, network, process } = processes();
    let made = 0;
    network.deaths.add({ process: "p0", call: "commit", left: 1, when, die: () => process.kill() });
    const commit = (): Promise<unknown> => network.call(process, "commit", () => made++);
    void commit().then(() => commit());
    await scheduler.run(1_000);
    expect([when, made, process.isAlive]).toEqual([when, when === "before" ? 1 : 2, false]);
  }
});

test("what was promised before comes first, wherever a run is begun from", async () => {
  const begun = async (): Promise<string[]> => {
    const scheduler = new Scheduler(1);
    const said: string[] = [];
    const promised = async (): Promise<void> => {
      for (let hop = 0; hop < 5; hop++) await Promise.resolve();
      said.push("promised");
    };
    void promised();
    scheduler.after(0, () => said.push("happened"));
    await scheduler.run(1);
    return said;
  };
  const fromLoop = new Promise((resolve) => {
    setImmediate(() => resolve(begun()));
  });
  expect(await fromLoop).toEqual(["promised", "happened"]);
  expect(await begun()).toEqual(["promised", "happened"]);
});
