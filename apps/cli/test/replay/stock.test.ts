import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { initialStock, parseStock, stockLeftWhenAllPlayed } from "../../src/replay/stock.ts";

const movements = new Map([
  ["A", { sold: 10, added: 4, removed: 3 }],
  ["B", { sold: 0, added: 0, removed: 7 }],
  ["C", { sold: 5, added: 0, removed: 0 }],
]);

describe("stock to begin with", () => {
  it("is exactly what leaves, so that what was added is left", () => {
    const stock = initialStock(movements, "exact");
    expect([...stock]).toEqual([
      ["A", 13],
      ["B", 7],
      ["C", 5],
    ]);
    expect([...stockLeftWhenAllPlayed(movements, stock)]).toEqual([
      ["A", 4],
      ["B", 0],
      ["C", 0],
    ]);
  });

  it("is a share of that, rounded down", () => {
    expect([...initialStock(movements, 0.8).values()]).toEqual([10, 5, 4]);
    expect([...initialStock(movements, 0).values()]).toEqual([0, 0, 0]);
    expect([...initialStock(movements, 1)]).toEqual([...initialStock(movements, "exact")]);
    expect([...initialStock(new Map([["A", { sold: 1_000, added: 0, removed: 0 }]]), 0.57).values()]).toEqual([570]);
  });

  it("is far more than that when it is ample", () => {
    expect([...initialStock(movements, "ample").values()]).toEqual([1_130, 1_070, 1_050]);
  });

  it("never falls below zero when exact, in whatever order things arrive", () => {
    const step = fc.record({
      kind: fc.constantFrom("sold", "added", "removed"),
      units: fc.integer({ min: 1, max: 1_000 }),
    });
    fc.assert(
      fc.property(fc.array(step), fc.infiniteStream(fc.nat()), (steps, picks) => {
        const movement = { sold: 0, added: 0, removed: 0 };
        for (const { kind, units } of steps) movement[kind] += units;
        const file = new Map([["A", movement]]);
        let left = initialStock(file, "exact").get("A") ?? NaN;
        const waiting = [...steps];
        while (waiting.length > 0) {
          const [{ kind, units } = { kind: "added", units: 0 }] = waiting.splice(
            (picks.next().value ?? 0) % waiting.length,
            1,
          );
          left += kind === "added" ? units : -units;
          expect(left).toBeGreaterThanOrEqual(0);
        }
        expect(left).toBe(stockLeftWhenAllPlayed(file, initialStock(file, "exact")).get("A"));
      }),
    );
  });

  it("reads the option", () => {
    expect(["exact", "ample", "0.8", "1", "0"].map(parseStock)).toEqual(["exact", "ample", 0.8, 1, 0]);
    for (const text of ["", "1.1", "-0.5", "80%", "all", "0.12345"]) {
      expect(() => parseStock(text)).toThrow(`--stock "${text}"`);
    }
  });
});
