import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  exactAmount,
  exactPrice,
  exactText,
  isPrice,
  lostByRounding,
  minorText,
  roundHalfEven,
} from "../../src/replay/amount.ts";

describe("amounts", () => {
  it.each([
    [1, "0.001", 0],
    [1, "0.005", 0],
    [3, "0.005", 2],
    [1, "0.015", 2],
    [1, "0.0051", 1],
    [5, "0.001", 0],
    [6, "0.001", 1],
    [7, "2.1", 1470],
    [74215, "1.04", 7718360],
    [1, "-0.015", -2],
    [1, "-0.025", -2],
    [999_999_999, "38970", 3_896_999_996_103_000],
  ])("%i × %s is %i pence", (quantity, price, minor) => {
    expect(roundHalfEven(exactAmount(quantity, price))).toBe(minor);
  });

  it("says what a price is", () => {
    expect(["0", "2.1", "13541.33", "-11062.06", "0.0001"].filter(isPrice)).toHaveLength(5);
    expect(["", "1,5", "1.", ".5", "1e3", "0.00001", "NaN", "1 ", "+1", "01"].filter(isPrice)).toEqual([]);
    expect(() => exactPrice("1,5")).toThrow('"1,5" is not a price');
  });

  it("refuses an amount that a number cannot hold", () => {
    expect(() => roundHalfEven(exactAmount(999_999_999, "999999999"))).toThrow("out of range");
  });

  it("is never further off than half a penny, and loses nothing between the two", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -100_000, max: 100_000 }),
        fc.integer({ min: 0, max: 400_000_000 }),
        (quantity, units) => {
          const exact = exactAmount(quantity, exactText(BigInt(units)));
          const minor = roundHalfEven(exact);
          const lost = lostByRounding(exact, minor);
          expect(exact).toBe(BigInt(quantity) * BigInt(units));
          expect(BigInt(minor) * 100n + lost).toBe(exact);
          expect(lost <= 50n && lost >= -50n).toBe(true);
          const half = lost === 50n || lost === -50n;
          expect(half && minor % 2 !== 0).toBe(false);
        },
      ),
    );
  });

  it("writes amounts as decimals", () => {
    expect([40n, -15_000n, 0n, 12_345_678n].map(exactText)).toEqual(["0.004", "-1.5", "0", "1234.5678"]);
    expect([0, 5, -5, 82_374_614].map(minorText)).toEqual(["0.00", "0.05", "-0.05", "823746.14"]);
  });
});
