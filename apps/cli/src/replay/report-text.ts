import { table as aligned } from "../table.ts";
import { minorText } from "./amount.ts";
import type { Check } from "./checks.ts";
import { notPlayedReasons, type NotPlayedReason } from "./kinds.ts";
import type { Comparison } from "./reference.ts";
import { total, type BestSeller, type ReplayReport } from "./report.ts";

/** Countries beyond this many are summed into one row; the JSON report has them all. */
const countriesShown = 10;
const sellersShown = 10;
const differencesShown = 20;

/** The report for a terminal: plain text without colours, at most about 100 columns wide. Ends without a newline. */
export function reportText(report: ReplayReport): string {
  return [
    `Replay of ${report.source}, ${report.from} to ${report.to}, stock ${report.stock}`,
    section("Orders", orders(report)),
    section(`Revenue by month, ${report.currency}`, months(report)),
    section("By country", countries(report)),
    section("Best sellers by units", sellers(report.top20.units)),
    section("Best sellers by revenue", sellers(report.top20.revenue)),
    pace(report),
    section("Not played", notPlayed(report)),
    oddPrices(report),
    section("Checks", checks(report.checks)),
    report.ok ? "Everything adds up." : "Something does not add up: see the checks marked WRONG.",
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

/** What a comparison with a reference found, for a terminal. */
export function comparisonText({ compared, differences, remarks }: Comparison): string {
  const shown = differences.slice(0, differencesShown).map((found) => [found.what, found.expected, found.got]);
  const verdict =
    differences.length === 0
      ? `All ${count(compared)} answers equal the reference.`
      : `${count(differences.length)} of ${count(compared)} answers differ from the reference.`;
  const listed = differences.length === 0 ? "" : table(["", "reference", "here"], shown);
  const rest = differences.length > shown.length ? `… and ${count(differences.length - shown.length)} more.` : "";
  return [verdict, listed, rest, ...remarks].filter((text) => text !== "").join("\n");
}

function orders(report: ReplayReport): string {
  const { applied, refused, units } = report.adjustments;
  return table(
    ["", "count"],
    [
      ["placed", count(report.ordersPlaced)],
      ["completed", count(report.ordersCompleted)],
      ...reasons("rejected", report.ordersRejected),
      ...reasons("cancelled", report.ordersCancelled),
      ...(report.ordersUnsettled === 0 ? [] : [["not settled", count(report.ordersUnsettled)]]),
      ["lines completed", count(report.lines)],
      ["units completed", count(report.units)],
      ["adjustments applied", `${count(applied)} (${count(units)} units)`],
      ...reasons("adjustments refused", refused),
      ["units in stock, before → after", `${count(report.stockUnits.initial)} → ${count(report.stockUnits.left)}`],
    ],
  );
}

function reasons(what: string, counts: Readonly<Record<string, number>>): string[][] {
  return Object.entries(counts).map(([reason, times]) => [`${what}: ${reason}`, count(times)]);
}

function months(report: ReplayReport): string {
  const rows = Object.entries(report.revenueByMonth).map(([month, minor]) => [month, money(minor)]);
  return table(["", "revenue"], [...rows, ["all", money(report.revenueMinor)]]);
}

function countries(report: ReplayReport): string {
  const all = Object.entries(report.ordersByCountry)
    .map(([country, placed]) => ({
      country,
      orders: placed,
      minor: report.revenueByCountry[country] ?? 0,
    }))
    .toSorted((a, b) => b.minor - a.minor);
  const rest = all.slice(countriesShown);
  const rows = all.slice(0, countriesShown);
  if (rest.length > 0) {
    const others = {
      orders: total(rest.map((row) => row.orders)),
      minor: total(rest.map((row) => row.minor)),
    };
    rows.push({ country: `${rest.length} others`, ...others });
  }
  return table(
    ["", "orders", "revenue"],
    rows.map((row) => [row.country, count(row.orders), money(row.minor)]),
  );
}

function sellers(best: readonly BestSeller[]): string {
  const rows = best.slice(0, sellersShown);
  return table(
    ["", "units", "revenue"],
    rows.map((row) => [`${row.sku}  ${row.title}`, count(row.units), money(row.revenueMinor)]),
  );
}

function pace({ ordersPerSecond, linesPerSecond, latencyMs }: ReplayReport): string {
  if (latencyMs === null) return "";
  const said = (value: number | null): string => (value === null ? "–" : count(value));
  const rows = [
    ["orders per second", said(ordersPerSecond)],
    ["lines per second", said(linesPerSecond)],
    ["placed → completed, p50 ms", said(latencyMs.p50)],
    ["placed → completed, p99 ms", said(latencyMs.p99)],
  ];
  return section("Pace", table(["", ""], rows));
}

function notPlayed(report: ReplayReport): string {
  const rows = Object.entries(report.notPlayed) as [NotPlayedReason, number][];
  if (rows.length === 0) return "  every line was played";
  return table(
    ["", "lines"],
    rows.map(([reason, lines]) => [notPlayedReasons[reason], count(lines)]),
  );
}

function oddPrices({
  pricesBelowMinorUnit: { count: lines, lines: shown, difference },
  currency,
}: ReplayReport): string {
  if (lines === 0) return "";
  const rows = shown.map((line) => [
    `line ${line.lineNo}, invoice ${line.invoice}, ${line.sku}`,
    `${line.quantity} × ${line.unitPrice}`,
  ]);
  const note = `  Each line is rounded to whole pence (a half to the even penny), so revenue is ${difference} ${currency} below the exact sum.`;
  return `${section("Prices in fractions of a penny", table(["", ""], rows))}\n${note}`;
}

function checks(all: readonly Check[]): string {
  const rows = all.map((check) => [check.name, count(check.expected), count(check.got), check.ok ? "ok" : "WRONG"]);
  const wrong = all.flatMap((check) => (check.examples ?? []).map((example) => `  ${check.name}: ${example}`));
  return [table(["", "expected", "got", ""], rows), ...wrong].join("\n");
}

function section(title: string, body: string): string {
  return `${title}\n${body}`;
}

/** Names at the left, everything else at the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return aligned(head, rows, new Set(head.keys().drop(1)));
}

function money(minor: number): string {
  const [whole = "", pence = ""] = minorText(minor).split(".");
  return `${BigInt(whole).toLocaleString("en-GB")}.${pence}`;
}

function count(value: number): string {
  return value.toLocaleString("en-GB");
}
