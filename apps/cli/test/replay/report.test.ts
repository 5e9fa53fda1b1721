import { describe, expect, it } from "vitest";
import { completedOutcome } from "../../src/replay/dry-run.ts";
import { createSequence, type OrderPlay, type Play } from "../../src/replay/invoices.ts";
import { reportOf, type ReplayReport, type StockLeft } from "../../src/replay/report.ts";
import { reportText } from "../../src/replay/report-text.ts";
import { initialStock, type StockMode } from "../../src/replay/stock.ts";
import { createSurveyor } from "../../src/replay/survey.ts";
import { createTally, type Outcome } from "../../src/replay/tally.ts";
import { line } from "./files.ts";

const lines = [
  line({ lineNo: 1, invoice: "100001", sku: "10001", quantity: 3, unitPrice: "1.1" }),
  line({ lineNo: 2, invoice: "100001", sku: "10001", quantity: 1, unitPrice: "1" }),
  line({
    lineNo: 3,
    invoice: "100002",
    sku: "10002",
    quantity: 2,
    unitPrice: "5",
    country: "France",
  }),
  line({ lineNo: 4, invoice: "100003", sku: "10002", quantity: -1, unitPrice: "0" }),
  line({
    lineNo: 5,
    invoice: "100004",
    sku: "POST",
    quantity: 1,
    unitPrice: "0.001",
    ts: "2011-01-01T00:00",
  }),
  line({ lineNo: 6, invoice: "C00005", sku: "10001", quantity: -1 }),
  line({ lineNo: 7, invoice: "100006", sku: "10001", quantity: 2, unitPrice: "0" }),
];

const leftWhenDone: StockLeft[] = [
  { sku: "10001", onHand: 2, reserved: 0 },
  { sku: "10002", onHand: 0, reserved: 0 },
  { sku: "POST", onHand: 0, reserved: 0 },
];

const clock = { placedAtMs: 1_000, settledAtMs: 1_250 };

function playsOf(): Play[] {
  const sequence = createSequence(new Map());
  for (const item of lines) sequence.take(item);
  sequence.end();
  const found: Play[] = [];
  for (let play = sequence.next(); play !== undefined; play = sequence.next()) found.push(play);
  return found;
}

interface Shop {
  outcome?: (order: OrderPlay) => Outcome | undefined;
  refuse?: string;
  left?: readonly StockLeft[];
  mode?: StockMode;
  order?: (plays: Play[]) => Play[];
}

function run({ outcome, refuse, left = leftWhenDone, mode = "exact", order = (all) => all }: Shop = {}): ReplayReport {
  const surveyor = createSurveyor();
  for (const item of lines) surveyor.take(item);
  const survey = surveyor.result();
  const tally = createTally();
  for (const play of order(playsOf())) {
    if (play.kind === "adjustment") {
      tally.adjusted(play, refuse);
      continue;
    }
    tally.placed();
    const end = outcome === undefined ? { ...completedOutcome(play), clock } : outcome(play);
    if (end !== undefined) tally.settled(play, end);
  }
  return reportOf({
    source: "shop",
    mode,
    survey,
    tally: tally.figures,
    initial: initialStock(survey.movements, mode),
    left,
  });
}

function wrong(report: ReplayReport): string[] {
  return report.checks.filter((check) => !check.ok).map((check) => check.name);
}

describe("the report", () => {
  it("says what happened", () => {
    expect(run()).toMatchObject({
      source: "shop",
      stock: "exact",
      from: "2010-12-01T08:26",
      ok: true,
      ordersPlaced: 3,
      ordersCompleted: 3,
      ordersRejected: {},
      ordersUnsettled: 0,
      lines: 4,
      units: 7,
      revenueMinor: 1_430,
      revenueByMonth: { "2010-12": 1_430, "2011-01": 0 },
      revenueByCountry: { EIRE: 430, France: 1_000 },
      ordersByCountry: { EIRE: 2, France: 1 },
      unitsBySku: { "10001": 4, "10002": 2, POST: 1 },
      adjustments: { applied: 2, refused: {}, units: 1 },
      stockUnits: { initial: 8, left: 2 },
      ordersPerSecond: 12,
      linesPerSecond: 16,
      notPlayed: { cancellation: 1 },
    });
  });

  it("ranks merchandise alone, by units and by revenue", () => {
    const { top20 } = run();
    expect(top20.units.map(({ sku, units }) => [sku, units])).toEqual([
      ["10001", 4],
      ["10002", 2],
    ]);
    expect(top20.revenue.map(({ sku, revenueMinor }) => [sku, revenueMinor])).toEqual([
      ["10002", 1_000],
      ["10001", 430],
    ]);
    expect(top20.units[0]?.title).toBe("A THING");
  });

  it("does not hide what rounding takes", () => {
    expect(run().pricesBelowMinorUnit).toEqual({
      count: 1,
      lines: [
        {
          invoice: "100004",
          ts: "2011-01-01T00:00",
          lineNo: 5,
          sku: "POST",
          quantity: 1,
          unitPrice: "0.001",
        },
      ],
      difference: "0.001",
      differenceByMonth: { "2011-01": "0.001" },
    });
  });

  it("gives latencies to three figures", () => {
    const { latencyMs } = run();
    expect(latencyMs?.p50).toBeCloseTo(250, 0);
    expect(latencyMs?.p99).toBeCloseTo(250, 0);
  });

  it("is the same in whatever order things end, as after a restart", () => {
    expect(run({ order: (plays) => plays.toReversed() })).toEqual(run());
  });

  it("survives JSON unchanged", () => {
    expect(JSON.parse(JSON.stringify(run()))).toEqual(run());
  });

  it("is readable as text", () => {
    const text = reportText(run());
    expect(text).toMatch(/ {2}completed +3\n/);
    expect(text).toMatch(/ {2}2010-12 +14\.30\n/);
    expect(text).toContain("revenue is 0.001 GBP below the exact sum");
    expect(text).toContain("Everything adds up.");
    expect(Math.max(...text.split("\n").map((row) => row.length))).toBeLessThanOrEqual(120);
  });
});

describe("the checks", () => {
  const reject = (order: OrderPlay): Outcome => ({
    ...completedOutcome(order),
    status: "rejected",
    reason: "out_of_stock",
  });

  it("accept refusals when stock is short, and count them by reason", () => {
    const outcome = (order: OrderPlay): Outcome =>
      order.country === "France" ? reject(order) : completedOutcome(order);
    // Three of the SKU that nobody got, less one that was written off.
    const left = leftWhenDone.map((stock) => (stock.sku === "10002" ? { ...stock, onHand: 2 } : stock));
    const report = run({ mode: 1, outcome, left });
    expect(report).toMatchObject({
      ok: true,
      ordersCompleted: 2,
      ordersRejected: { out_of_stock: 1 },
      revenueMinor: 430,
    });
    expect(report.unitsBySku).not.toHaveProperty("10002");
  });

  it("do not accept a refusal when stock was exact", () => {
    const report = run({
      outcome: (order) => (order.country === "France" ? reject(order) : completedOutcome(order)),
    });
    expect(wrong(report)).toEqual([
      "SKUs where sold + left ≠ initial + adjusted",
      "every order completed",
      "every sale line completed",
    ]);
    expect(report.ok).toBe(false);
    expect(reportText(report)).toContain("10002: 0 instead of 2");
  });

  it("see an order that never ends", () => {
    const report = run({
      outcome: (order) => (order.country === "France" ? undefined : completedOutcome(order)),
    });
    expect(report.ordersUnsettled).toBe(1);
    expect(wrong(report)).toContain("every placed order came to its end");
  });

  it("see an order that was never placed", () => {
    expect(wrong(run({ order: (plays) => plays.slice(1) }))).toContain("every order of the file was placed");
  });

  it("see a total that is not the invoice's", () => {
    const report = run({ outcome: (order) => ({ ...completedOutcome(order), totalMinor: 430 }) });
    expect(wrong(report)).toEqual(["completed orders whose total is not their invoice's"]);
    expect(report.wrongTotals.examples).toContainEqual({
      invoice: "100002",
      expectedMinor: 1_000,
      gotMinor: 430,
    });
  });

  it("see units that are not the invoice's", () => {
    const sellMore = (order: OrderPlay): Outcome => {
      const outcome = completedOutcome(order);
      return {
        ...outcome,
        lines: outcome.lines.map((item) => ({ ...item, quantity: item.quantity + 1 })),
      };
    };
    expect(wrong(run({ outcome: sellMore }))).toContain("SKUs whose completed units are not their invoices'");
  });

  it("see stock that is gone, below zero, still reserved, or unknown", () => {
    const [first, ...others] = leftWhenDone as [StockLeft, ...StockLeft[]];
    const balance = ["SKUs where sold + left ≠ initial + adjusted", "SKUs whose stock is not what the file leaves"];
    expect(wrong(run({ left: [{ ...first, onHand: 1 }, ...others] }))).toEqual(balance);
    expect(wrong(run({ left: [{ ...first, onHand: -1 }, ...others] }))).toContain("SKUs below zero");
    expect(wrong(run({ left: [{ ...first, reserved: 1 }, ...others] }))).toEqual(["SKUs with units still reserved"]);
    expect(wrong(run({ left: others }))).toEqual(balance);
  });

  it("see an adjustment that was refused although stock was exact", () => {
    const report = run({ refuse: "below_zero" });
    expect(report.adjustments).toEqual({ applied: 0, refused: { below_zero: 2 }, units: 0 });
    expect(wrong(report)).toContain("every adjustment applied");
  });
});
