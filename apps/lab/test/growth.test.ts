import { describe, expect, test } from "vitest";
import { lineThrough } from "../src/growth/line.ts";
import { growthReport } from "../src/growth/report.ts";
import type { Growth } from "../src/growth/run.ts";
import type { Stop } from "../src/growth/sweep.ts";

const cost = (micros: number) => ({ cpuMicrosPerMessage: micros, wallMicrosPerMessage: micros * 2 });

/** Seven pairs of rounds at a size, on a machine that is so many times slower in one and the next. */
function stop(size: { messages: number; products: number }, ratio: number, noise: readonly number[]): Stop {
  const rounds = noise.map((slow) => ({ ...size, grown: cost(50 * ratio * slow), fresh: cost(50 * slow) }));
  return { ...size, rssMiB: 300, rounds };
}

function grownAs(slope: number): Growth {
  const noise = [1, 1.4, 0.9, 3, 1.1, 1, 2];
  const sweep = (what: "messages" | "products", sizes: readonly number[]): Stop[] =>
    sizes.map((size) => stop({ messages: 1e4, products: 100, [what]: size }, (size / sizes[0]!) ** slope, noise));
  return {
    messages: sweep("messages", [1e4, 1e5, 1e6, 1e7]),
    products: sweep("products", [1e2, 1e4, 1e6]),
    restartMs: [900, 2_100],
  };
}

describe("a line on log-log paper", () => {
  test("has the slope and the height of what it goes through", () => {
    const points = [10, 100, 1_000].map((x) => ({ x, y: 7 * x ** 0.25 }));
    expect(lineThrough(points).slope).toBeCloseTo(0.25, 10);
    expect(lineThrough(points).factor).toBeCloseTo(7, 10);
  });

  test("lies between points that are not on one", () => {
    const { slope } = lineThrough([
      { x: 1, y: 10 },
      { x: 10, y: 20 },
      { x: 100, y: 10 },
    ]);
    expect(slope).toBeCloseTo(0, 10);
  });

  test("needs two places", () => {
    expect(() => lineThrough([{ x: 5, y: 1 }])).toThrow("A line needs points at two places at least.");
  });
});

describe("the report of growth", () => {
  const reached = (growth: Growth) =>
    growthReport(growth)
      .rows.filter(([what]) => what.startsWith("processor"))
      .map((row) => row[3]);

  test("does not mind a machine that is slower at one time than at another", () => {
    const { rows } = growthReport(grownAs(0));
    expect(rows[0]![1]).toMatch(/^-?0\.000 \(55\.0 → 55\.0 µs\)$/);
    expect(reached(grownAs(0))).toEqual([true, true]);
  });

  test("says which bound is passed", () => {
    expect(reached(grownAs(0.04))).toEqual([false, true]);
    expect(reached(grownAs(0.06))).toEqual([false, false]);
  });

  test("counts the slowest restart", () => {
    expect(growthReport(grownAs(0)).rows.at(-1)).toEqual([
      "kill -9 with 10M messages stored → first batch",
      "900 ms, 2100 ms",
      "≤ 2 s",
      false,
    ]);
  });

  test("is drawn, and says in words what is drawn", () => {
    const { svg } = growthReport(grownAs(0.02));
    expect(svg).toContain(
      "Messages stored, from 10,000 to 10,000,000: the processor time of a message has a slope of 0.020",
    );
    expect(svg.match(/<circle /g)).toHaveLength(4 * 5 + 3 * 5 + 4 + 3);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});
