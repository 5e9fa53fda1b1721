import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { amountMax, amountText, currencies, lineAmount } from "../src/index.ts";

const price = fc
  .tuple(fc.nat({ max: 999_999_999 }), fc.integer({ min: 0, max: 4 }), fc.nat({ max: 9_999 }))
  .map(([whole, digits, rest]) =>
    digits === 0 ? `${whole}` : `${whole}.${String(rest).padStart(4, "0").slice(0, digits)}`,
  );
const quantity = fc.integer({ min: 1, max: 1_000_000 });
const currency = fc.constantFrom(...currencies);

/** A price in ten-thousandths, found in another way than the code under test finds it. */
function tenThousandths(text: string): bigint {
  const [whole = "0", rest = ""] = text.split(".");
  return BigInt(whole) * 10_000n + BigInt((rest + "0000").slice(0, 4));
}

describe("lineAmount", () => {
  test.each([
    ["2.55", 6, "GBP", 1530],
    ["0.001", 1, "GBP", 0],
    ["0.001", 1000, "GBP", 100],
    ["0.005", 1, "GBP", 0],
    ["0.015", 1, "GBP", 2],
    ["0.025", 1, "GBP", 2],
    ["0.0251", 1, "GBP", 3],
    ["1.005", 3, "EUR", 302],
    ["100", 3, "JPY", 300],
    ["0.5", 1, "JPY", 0],
    ["1.5", 1, "JPY", 2],
    ["0.5001", 1, "JPY", 1],
    ["1.0005", 1, "KWD", 1000],
    ["1.0015", 1, "KWD", 1002],
    ["0", 5, "GBP", 0],
    ["999999999.9999", 1_000, "USD", 99_999_999_999_990],
  ] as const)("%s × %i in %s is %i", (unitPrice, pieces, code, expected) => {
    expect(lineAmount(unitPrice, pieces, code)).toBe(expected);
  });

  test("is never further than half a minor unit from the exact product, and even where it is half", () => {
    fc.assert(
      fc.property(price, quantity, currency, (unitPrice, pieces, code) => {
        const minor = lineAmount(unitPrice, pieces, code);
        fc.pre(minor <= Number.MAX_SAFE_INTEGER);
        const one = BigInt(Math.round(lineAmount("1", 1, code)));
        const twiceOff = 2n * (BigInt(minor) * (10_000n / one) - tenThousandths(unitPrice) * BigInt(pieces));
        const size = twiceOff < 0n ? -twiceOff : twiceOff;
        expect(size <= 10_000n / one).toBe(true);
        expect(size === 10_000n / one ? minor % 2 : 0).toBe(0);
      }),
    );
  });

  test("grows with the quantity and does not mind trailing zeros", () => {
    fc.assert(
      fc.property(price, quantity, currency, (unitPrice, pieces, code) => {
        const longer = unitPrice.includes(".")
          ? unitPrice.padEnd(unitPrice.indexOf(".") + 5, "0")
          : `${unitPrice}.0000`;
        expect(lineAmount(longer, pieces, code)).toBe(lineAmount(unitPrice, pieces, code));
        expect(lineAmount(unitPrice, pieces + 1, code)).toBeGreaterThanOrEqual(lineAmount(unitPrice, pieces, code));
      }),
    );
  });

  test("is above the largest amount, never wrapped or cut, where the product is too large", () => {
    expect(lineAmount("999999999.9999", 1_000_000, "KWD")).toBeGreaterThan(amountMax);
  });
});

test.each([
  [1530, "GBP", "15.30 GBP"],
  [5, "GBP", "0.05 GBP"],
  [0, "EUR", "0.00 EUR"],
  [300, "JPY", "300 JPY"],
  [1002, "KWD", "1.002 KWD"],
] as const)("%i minor units of %s are %s", (minor, code, expected) => {
  expect(amountText(minor, code)).toBe(expected);
});
