import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { minorText } from "../../src/replay/amount.ts";
import { dryRun } from "../../src/replay/dry-run.ts";
import { compareWithReference, readReference, type Reference } from "../../src/replay/reference.ts";
import { comparisonText } from "../../src/replay/report-text.ts";
import type { ReplayReport } from "../../src/replay/report.ts";
import { fileOf, sampleFile } from "../../src/replay/sample.ts";
import { survey, type Survey } from "../../src/replay/survey.ts";
import { withFile } from "./files.ts";

const expectedFile = fileURLToPath(new URL("../../sample/expected-2010-12.json", import.meta.url));

interface Expected extends Reference {
  readonly counts: Reference["counts"] & Readonly<Record<string, number>>;
  readonly units_totals: Reference["units_totals"] & Readonly<Record<string, number>>;
  readonly revenue_by_country: Readonly<Record<string, string>>;
  readonly units_added_per_sku: Readonly<Record<string, number>>;
}

describe("a month of real invoices", () => {
  let expected: Expected;
  let found: Survey;
  let report: ReplayReport;

  beforeAll(async () => {
    expected = JSON.parse(await readFile(expectedFile, "utf8")) as Expected;
    found = await survey(sampleFile);
    report = await dryRun(fileOf("sample"), "exact");
  });

  it("is read line by line as a separate program reads it", () => {
    const { counts } = expected;
    expect(found).toMatchObject({
      lines: counts["lines"],
      orders: counts.orders,
      saleLines: counts.sale_lines,
      adjustments: (counts["zero_price_lines"] ?? NaN) + (counts["stock_adjustment_lines"] ?? NaN),
      notPlayed: { cancellation: counts["cancel_lines"] },
      firstTs: "2010-12-01T08:26",
      lastTs: "2010-12-23T17:41",
    });
    expect(found.products.every((product) => product.title !== "" && product.price !== "0")).toBe(true);
  });

  it("gives the separate program's answers, every one of them", async () => {
    const comparison = compareWithReference(report, await readReference(expectedFile));
    expect(comparison.differences).toEqual([]);
    // Orders, lines, units, one month, each country and SKU, and twice twenty best sellers: none was left out.
    const { orders_by_country, units_per_sku } = expected;
    const answers = 4 + Object.keys(orders_by_country).length + Object.keys(units_per_sku.skus).length + 40;
    expect(comparison.compared).toBe(answers);
  });

  it("gives the same revenue by country and adjustments", () => {
    const texts = Object.entries(report.revenueByCountry).map(([country, minor]) => [country, minorText(minor)]);
    expect(Object.fromEntries(texts)).toEqual(expected.revenue_by_country);
    expect(report.adjustments.units).toBe(expected.units_totals["units_adjusted"]);
  });

  it("leaves exactly what was added when stock was exact", () => {
    expect(report).toMatchObject({ ok: true, ordersCompleted: 1_559, ordersRejected: {} });
    expect(report.stockUnits).toEqual({
      initial: expected.units_totals.units_sold + (expected.units_totals["units_removed"] ?? NaN),
      left: expected.units_totals["units_added"],
    });
    const added = [...found.movements].filter(([, movement]) => movement.added > 0);
    expect(Object.fromEntries(added.map(([sku, movement]) => [sku, movement.added]))).toEqual(
      expected.units_added_per_sku,
    );
  });

  it("refuses some orders at four fifths of the stock, and still adds up", async () => {
    const short = await dryRun(sampleFile, 0.8);
    expect(short.ok).toBe(true);
    expect(short.ordersRejected["out-of-stock"]).toBeGreaterThan(0);
    expect(short.ordersCompleted + (short.ordersRejected["out-of-stock"] ?? NaN)).toBe(1_559);
  });

  it("lists every answer that differs", () => {
    const changed: Reference = {
      ...expected,
      counts: { ...expected.counts, orders: 1_560 },
      revenue_per_month: { "2010-12": { gross_revenue: "823746.141", orders: 1_559 } },
      orders_by_country: { ...expected.orders_by_country, Atlantis: 1 },
      top20_units_gross: expected.top20_units_gross.slice(1),
    };
    const comparison = compareWithReference(report, changed);
    const whats = comparison.differences.map((difference) => difference.what);
    expect(whats.slice(0, 3)).toEqual(["orders", "revenue of 2010-12", "orders in Atlantis"]);
    expect(whats.filter((what) => what.startsWith("best sellers by units"))).toHaveLength(20);
    expect(comparisonText(comparison)).toContain("answers differ from the reference");
    expect(comparisonText(comparison)).toMatch(/revenue of 2010-12 +823746\.141 +823746\.14\n/);
  });

  it("compares exact sums with what rounding took added again, and says so", () => {
    const exact = { "2010-12": { gross_revenue: "823746.141", orders: 1_559 } };
    const lines = [
      {
        lineNo: 7,
        invoice: "536365",
        ts: "2010-12-01T08:26",
        sku: "PADS",
        quantity: 1,
        unitPrice: "0.001",
      },
    ];
    const rounded: ReplayReport = {
      ...report,
      pricesBelowMinorUnit: {
        count: 1,
        lines,
        difference: "0.001",
        differenceByMonth: { "2010-12": "0.001" },
      },
    };
    const comparison = compareWithReference(rounded, { ...expected, revenue_per_month: exact });
    expect(comparison.differences).toEqual([]);
    expect(comparison.remarks).toEqual([
      expect.stringMatching(/lines 7 \(PADS at 0\.001\).* is 0\.001 GBP below the exact sum/),
    ]);
    expect(compareWithReference(rounded, expected).differences).toHaveLength(1);
  });

  it("refuses a reference that lacks an answer", async () => {
    const { top20_units_gross: _, ...rest } = expected;
    await withFile(JSON.stringify(rest), async (file) => {
      await expect(readReference(file)).rejects.toMatchObject({
        code: "REFERENCE_INVALID",
        message: expect.stringContaining("has no top20_units_gross."),
      });
    });
    await withFile("{", async (file) => {
      await expect(readReference(file)).rejects.toMatchObject({
        message: expect.stringContaining("is not JSON"),
      });
    });
    await expect(readReference("/no/such.json")).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });
});
