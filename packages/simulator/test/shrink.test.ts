import { expect, test } from "vitest";
import { rolls, shrunk } from "@waybill/simulator";

const items = Array.from({ length: 40 }, (_, n) => n);

test("only what is needed for a failure is left", async () => {
  const needed = [3, 17, 29];
  const fails = async (kept: readonly number[]): Promise<boolean> => needed.every((one) => kept.includes(one));
  expect(await shrunk(items, fails)).toEqual(needed);
});

test("what fails by itself needs nothing", async () => {
  expect(await shrunk(items, async () => true)).toEqual([]);
});

test("it gives up after so many runs, with something that fails", async () => {
  let runs = 0;
  const fails = async (kept: readonly number[]): Promise<boolean> => {
    runs += 1;
    return kept.includes(5) && kept.includes(31);
  };
  const kept = await shrunk(items, fails, 6);
  expect(runs).toBeLessThanOrEqual(6);
  expect(kept).toEqual(expect.arrayContaining([5, 31]));
});

test("streams of a seed differ from each other and come again", () => {
  const of = (seed: number, stream: string): number[] => Array.from({ length: 5 }, rolls(seed, stream).next);
  expect(of(1, "a")).toEqual(of(1, "a"));
  expect(of(1, "a")).not.toEqual(of(1, "b"));
  expect(of(1, "a")).not.toEqual(of(2, "a"));
  const chance = rolls(9, "spread");
  const rolled = Array.from({ length: 1_000 }, () => chance.between(1, 4));
  expect(new Set(rolled)).toEqual(new Set([1, 2, 3, 4]));
});
