import { readFile } from "node:fs/promises";
import { exactPrice, exactText } from "./amount.ts";
import { ReplayError } from "./errors.ts";
import type { BestSeller, ReplayReport } from "./report.ts";

/** Answers about a file that somebody else worked out. Money as exact decimals in major units. */
export interface Reference {
  readonly counts: { readonly orders: number; readonly sale_lines: number };
  readonly revenue_per_month: Readonly<Record<string, { readonly gross_revenue: string; readonly orders: number }>>;
  readonly orders_by_country: Readonly<Record<string, number>>;
  /** First of each SKU's numbers: units sold. */
  readonly units_per_sku: { readonly skus: Readonly<Record<string, readonly number[]>> };
  readonly units_totals: { readonly units_sold: number };
  readonly top20_units_gross: readonly ReferenceSeller[];
  readonly top20_revenue_gross: readonly ReferenceSeller[];
}

interface ReferenceSeller {
  readonly sku: string;
  readonly units_sold: number;
  readonly gross_revenue: string;
}

export interface Difference {
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

export interface Comparison {
  /** How many answers were compared. */
  readonly compared: number;
  readonly differences: readonly Difference[];
  /** What needs saying although it is no difference. */
  readonly remarks: readonly string[];
}

const parts = [
  "counts",
  "revenue_per_month",
  "orders_by_country",
  "units_per_sku",
  "units_totals",
  "top20_units_gross",
  "top20_revenue_gross",
] as const;

/** Reads a reference file. Throws FILE_UNREADABLE, or REFERENCE_INVALID naming what is missing. */
export async function readReference(file: string): Promise<Reference> {
  const text = await readFile(file, "utf8").catch((error: Error) => {
    throw new ReplayError("FILE_UNREADABLE", `${file}: ${error.message}`, error);
  });
  let answers: Partial<Reference> | null;
  try {
    answers = JSON.parse(text) as Partial<Reference> | null;
  } catch (error) {
    throw new ReplayError("REFERENCE_INVALID", `${file} is not JSON: ${(error as Error).message}`, error);
  }
  const missing = parts.filter((part) => typeof answers?.[part] !== "object");
  if (missing.length > 0) throw new ReplayError("REFERENCE_INVALID", `${file} has no ${missing.join(", ")}.`);
  return answers as Reference;
}

/**
 * Compares a report with a reference, answer by answer. The reference's money is exact and the shop's is rounded line by
 * line, so what rounding took (which the report knows to the last decimal) is added again before comparing: equal then
 * means equal in every decimal, not merely close.
 */
export function compareWithReference(report: ReplayReport, reference: Reference): Comparison {
  const differences: Difference[] = [];
  let compared = 0;
  const same: Same = (what, expected, got) => {
    compared += 1;
    if (expected !== got) differences.push({ what, expected: String(expected), got: String(got) });
  };
  same("orders", reference.counts.orders, report.ordersCompleted);
  same("sale lines", reference.counts.sale_lines, report.lines);
  same("units", reference.units_totals.units_sold, report.units);
  compareMonths(report, reference, same);
  compareCounts("orders in", reference.orders_by_country, report.ordersByCountry, same);
  const units = Object.fromEntries(
    Object.entries(reference.units_per_sku.skus).map(([sku, row]) => [sku, row[0] ?? 0]),
  );
  compareCounts("units of", units, report.unitsBySku, same);
  compareSellers("best sellers by units", reference.top20_units_gross, report.top20.units, same);
  compareSellers("best sellers by revenue", reference.top20_revenue_gross, report.top20.revenue, same);
  return { compared, differences, remarks: remarks(report) };
}

type Same = (what: string, expected: string | number, got: string | number) => void;

function compareMonths(report: ReplayReport, reference: Reference, same: Same): void {
  const months = new Set([...Object.keys(reference.revenue_per_month), ...Object.keys(report.revenueByMonth)]);
  for (const month of months) {
    const roundedAway = exactPrice(report.pricesBelowMinorUnit.differenceByMonth[month] ?? "0");
    const exact = BigInt(report.revenueByMonth[month] ?? 0) * 100n + roundedAway;
    const expected = exactPrice(reference.revenue_per_month[month]?.gross_revenue ?? "0");
    same(`revenue of ${month}`, exactText(expected), exactText(exact));
  }
}

function compareCounts(what: string, expected: Record<string, number>, got: Record<string, number>, same: Same): void {
  for (const key of new Set([...Object.keys(expected), ...Object.keys(got)])) {
    same(`${what} ${key}`, expected[key] ?? 0, got[key] ?? 0);
  }
}

function compareSellers(
  what: string,
  expected: readonly ReferenceSeller[],
  got: readonly BestSeller[],
  same: Same,
): void {
  const places = Math.max(expected.length, got.length);
  for (let place = 0; place < places; place += 1) {
    const [theirs, ours] = [expected[place], got[place]];
    const theirText =
      theirs && `${theirs.sku}: ${theirs.units_sold} units, ${exactText(exactPrice(theirs.gross_revenue))}`;
    const ourText = ours && `${ours.sku}: ${ours.units} units, ${exactText(BigInt(ours.revenueMinor) * 100n)}`;
    same(`${what}, place ${place + 1}`, theirText ?? "nobody", ourText ?? "nobody");
  }
}

function remarks(report: ReplayReport): string[] {
  const { count, lines, difference } = report.pricesBelowMinorUnit;
  const said: string[] = [];
  if (count > 0) {
    const where = lines.map((line) => `${line.lineNo} (${line.sku} at ${line.unitPrice})`).join(", ");
    said.push(
      `Lines priced in fractions of a penny: ${count}, namely lines ${where}. The shop rounds each line to whole pence, so its ` +
        `revenue is ${difference} ${report.currency} below the exact sum; the months are compared with that added again.`,
    );
  }
  const refused = report.ordersPlaced - report.ordersCompleted;
  if (refused > 0) said.push(`${refused} orders did not complete; the reference counts every order of the file.`);
  return said;
}
