import { testWorld, type TestWorld } from "@waybill/memory";
import { expect, test } from "vitest";

/** Notes when each of these sleeps ends. */
function sleepers(world: TestWorld, ...list: number[]): string[] {
  const woken: string[] = [];
  for (const ms of list) void world.sleep(ms).then(() => woken.push(`${ms} at ${world.monotonicMs()}`));
  return woken;
}

test("sleepers wake in order, each at its own time", async () => {
  const world = testWorld();
  const woken = sleepers(world, 30, 10, 20, 100);
  await world.advance(50);
  expect(woken).toEqual(["10 at 10", "20 at 20", "30 at 30"]);
  expect(world.monotonicMs()).toBe(50);
  expect(world.sleepers()).toBe(1);
});

test("what a sleeper starts when it wakes is part of the same time", async () => {
  const world = testWorld();
  const times: number[] = [];
  async function tick(): Promise<void> {
    for (let count = 0; count < 5; count++) {
      await world.sleep(10);
      times.push(world.monotonicMs());
    }
  }
  void tick();
  await world.advance(35);
  expect(times).toEqual([10, 20, 30]);
});

test("time stands still until it is told", async () => {
  const world = testWorld();
  const woken = sleepers(world, 1);
  await world.settle();
  expect([woken, world.monotonicMs()]).toEqual([[], 0]);
});

test("settling lets go on what sleeps for no time", async () => {
  const world = testWorld();
  const woken = sleepers(world, 0);
  await world.settle();
  expect(woken).toEqual(["0 at 0"]);
});

test("settling says so when it never ends", async () => {
  const world = testWorld();
  const stop = new AbortController();
  async function spin(): Promise<void> {
    while (!stop.signal.aborted) await world.sleep(0);
  }
  const spinning = spin();
  await expect(world.settle()).rejects.toThrow("sleeps for no time");
  stop.abort();
  await world.settle();
  await spinning;
});

test("an aborted sleep ends at once and leaves no sleeper", async () => {
  const world = testWorld();
  const stop = new AbortController();
  const sleeping = world.sleep(1000, stop.signal);
  stop.abort();
  await sleeping;
  await world.sleep(1000, stop.signal);
  expect([world.sleepers(), world.monotonicMs()]).toEqual([0, 0]);
});

test("more than a day counts as a day", async () => {
  const world = testWorld();
  const woken = sleepers(world, 1e12);
  await world.advance(86_400_000);
  expect(woken).toHaveLength(1);
});

test("a seed gives the same numbers and ids, another seed others", () => {
  const drawn = (seed: number) => {
    const world = testWorld({ seed });
    return [world.random(), world.random(), world.newId(), world.newId()];
  };
  expect(drawn(5)).toEqual(drawn(5));
  expect(drawn(6)).not.toEqual(drawn(5));
  expect(drawn(5)[2]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/u);
});

test("random numbers spread over their range", () => {
  const world = testWorld({ seed: 3 });
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let count = 0; count < 10_000; count++) tenths[Math.floor(world.random() * 10)]! += 1;
  for (const count of tenths) expect(count).toBeGreaterThan(850);
});

test("the last lines logged are kept", () => {
  const world = testWorld();
  for (let line = 1; line <= 1500; line++) world.log("info", `line ${line}`, { line });
  expect(world.lines).toHaveLength(1000);
  expect(world.lines.at(-1)).toEqual({ level: "info", text: "line 1500", facts: { line: 1500 } });
});
