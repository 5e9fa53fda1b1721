import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { optionsOf } from "../src/simulate/options.ts";
import { planOf } from "../src/simulate/plan.ts";
import { commandOf, planWith, shortest } from "../src/simulate/report.ts";
import { run } from "../src/simulate/run.ts";
import { story } from "../src/simulate/story.ts";

const execute = promisify(execFile);
const script = fileURLToPath(new URL("../src/simulate.ts", import.meta.url));
const seeds = Number(process.env["WAYBILL_SEEDS"] ?? 2_000);

describe("a simulated shop", () => {
  test("lives through the same things in the same way each time", async () => {
    for (const seed of [1, 2, 3]) {
      const [first, again] = [await run(planOf(seed)), await run(planOf(seed))];
      expect(again.hash).toBe(first.hash);
      expect(again.events).toBe(first.events);
    }
    expect((await run(planOf(1))).hash).not.toBe((await run({ ...planOf(1), salt: 1 })).hash);
  });

  test("has at least 20 orders, and every kind of trouble in some seed", () => {
    const kinds = new Set<string>();
    for (let seed = 1; seed <= 200; seed++) {
      const { items } = planOf(seed);
      expect(items.filter(({ kind }) => kind === "order").length).toBeGreaterThanOrEqual(20);
      for (const { kind } of items) kinds.add(kind);
    }
    const shopping = ["order", "twist", "cancel", "price", "adjust"];
    const trouble = [
      "crash",
      "death",
      "pause",
      "close",
      "deploy",
      "weather",
      "gateway",
      "mail",
      "down",
      "stall",
      "clock",
    ];
    expect([...kinds].toSorted()).toEqual(
      [...shopping, ...trouble, "lose", "recreate", "rewind", "redrive", "outage", "wipe"].toSorted(),
    );
  });

  test(`settles every order with all books agreed, in ${seeds} seeds`, { timeout: 900_000 }, async () => {
    const args = ["--min-semi-space-size=256", "--max-semi-space-size=256", script, "--seeds", `1..${seeds}`];
    // One that fails is told in full, with its shortest story.
    const { stdout } = await execute(process.execPath, args, { maxBuffer: 16_777_216 }).catch((error: unknown) => {
      throw new Error((error as { stdout?: string }).stdout ?? String(error), { cause: error });
    });
    expect(stdout).toContain(`${seeds} of ${seeds} seeds`);
    expect(stdout).toContain(" 0 failed");
  });
});

test("several processes share the seeds, and miss none", { timeout: 120_000 }, async () => {
  const sums = async (workers: number): Promise<string | undefined> => {
    const { stdout } = await execute(process.execPath, [script, "--seeds", "1..25", "--workers", String(workers)]);
    return /\d+ orders, 0 failed\. \d+ things happened/.exec(stdout)?.[0];
  };
  const alone = await sums(1);
  expect(alone).toBeDefined();
  expect(await sums(2)).toBe(alone);
});

describe("a seed that fails", () => {
  /** What fails here is what nobody can keep: an order for goods that the shop does not sell. */
  const plan = planOf(5);

  test("is told in words, with the command that tells it again", async () => {
    const told = story(await run(planWith(plan, new Set(["order-1", "order-2", "crash-1"]))));
    expect(told).toContain("Somebody orders");
    expect(told).toContain("(order-1)");
    expect(told).not.toContain("(order-3)");
    const again = commandOf(planWith({ ...plan, salt: 2 }, new Set(["order-1", "order-2"])));
    expect(again).toMatch(/^npm run simulate -- --seed 5 --salt 2 --story --only order-\d,order-\d$/);
    const options = optionsOf(again.split(" ").slice(4))!;
    expect(options).toMatchObject({ from: 5, to: 5, salt: 2, story: true });
    expect(options.only).toEqual(new Set(["order-1", "order-2"]));
  });

  test("is made as short as it still fails", async () => {
    const needed = new Set(["order-4", "order-9"]);
    const fails = async ({ items }: typeof plan): Promise<boolean> => {
      const ids = new Set(items.map(({ id }) => id));
      return [...needed].every((id) => ids.has(id));
    };
    expect(new Set((await shortest(plan, fails)).items.map(({ id }) => id))).toEqual(needed);
  });
});

describe("the command line", () => {
  test.each([
    [["--seeds", "5..9"], { from: 5, to: 9 }],
    [["--seed", "7"], { from: 7, to: 7 }],
    [[], { from: 1, to: 1_000 }],
  ])("%j", (args, expected) => {
    expect(optionsOf(args)).toMatchObject(expected);
  });

  test("says what is wrong with it", () => {
    expect(() => optionsOf(["--seeds", "many"])).toThrow("--seeds many: say it as 1..1000.");
    expect(() => optionsOf(["--failures", "0"])).toThrow("--failures 0: say a number from 1.");
    expect(() => optionsOf(["--workers", "some"])).toThrow("--workers some: say a number from 1.");
    expect(optionsOf(["--help"])).toBeUndefined();
  });
});
