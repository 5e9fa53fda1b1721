import { afterEach, expect, test, vi } from "vitest";
import { realWorld, stderrLog, wallClock } from "../src/index.ts";

afterEach(() => vi.restoreAllMocks());

test("sleeps until the time is over or somebody wants the end, and never rejects", async () => {
  const world = realWorld(() => undefined);
  const beganMs = world.monotonicMs();
  await world.sleep(5);
  expect(world.monotonicMs()).toBeGreaterThan(beganMs);
  const stop = new AbortController();
  const slept = world.sleep(3_600_000, stop.signal);
  stop.abort();
  await expect(slept).resolves.toBeUndefined();
  await expect(world.sleep(3_600_000, stop.signal)).resolves.toBeUndefined();
  await expect(world.sleep(0)).resolves.toBeUndefined();
});

test("lets others have their turn", async () => {
  let isOthersTurn = false;
  setImmediate(() => (isOthersTurn = true));
  await realWorld().turn();
  expect(isOthersTurn).toBe(true);
});

test("gives ids that are all different, chance between 0 and 1, and the time of the day", () => {
  const world = realWorld();
  expect(new Set(Array.from({ length: 100 }, () => world.newId())).size).toBe(100);
  expect(world.random()).toBeGreaterThanOrEqual(0);
  expect(world.random()).toBeLessThan(1);
  expect(new Date(wallClock()).getFullYear()).toBeGreaterThan(2_024);
});

test("tells warnings and errors on the standard error output, unless it is given another log", () => {
  const said: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => (said.push(String(text)), true));
  const { log } = realWorld();
  log("debug", "Quiet.");
  log("info", "Quiet too.");
  log("warn", "A lane waits.", { lane: 3 });
  log("error", "It broke.");
  expect(said).toEqual(['warn: A lane waits. {"lane":3}\n', "error: It broke. {}\n"]);
  expect(log).toBe(stderrLog);
});
