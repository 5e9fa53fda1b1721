import { exactText } from "./amount.ts";
import type { Books } from "./books.ts";
import { order } from "./catalogue.ts";
import { checksOf, type Check } from "./checks.ts";
import type { NotPlayedReason } from "./kinds.ts";
import { stockLeftWhenAllPlayed, type StockMode } from "./stock.ts";
import type { Survey } from "./survey.ts";
import type { OddPrice, Tally, WrongTotal } from "./tally.ts";

/** A SKU's stock in the shop once everything has settled. */
export interface StockLeft {
  readonly sku: string;
  readonly onHand: number;
  readonly reserved: number;
}

export interface ReportInput {
  readonly source: string;
  readonly mode: StockMode;
  readonly survey: Survey;
  readonly tally: Tally;
  /** Units of each SKU before the first play. */
  readonly initial: ReadonlyMap<string, number>;
  /** What the shop has at the end: at least every SKU of `initial`. */
  readonly left: Iterable<StockLeft>;
  /** What the shop's other services have written down; absent in a dry run. */
  readonly books?: Books;
}

export interface BestSeller {
  readonly sku: string;
  readonly title: string;
  readonly units: number;
  readonly revenueMinor: number;
}

type Counts = Readonly<Record<string, number>>;

/** What `--report` writes. Money in integer minor units of `currency`; revenue is that of completed orders. */
export interface ReplayReport {
  readonly source: string;
  readonly stock: StockMode;
  readonly from: string;
  readonly to: string;
  readonly ok: boolean;
  readonly ordersPlaced: number;
  readonly ordersCompleted: number;
  readonly ordersRejected: Counts;
  readonly ordersCancelled: Counts;
  /** Placed, but neither completed nor refused when the report was made. */
  readonly ordersUnsettled: number;
  readonly lines: number;
  readonly units: number;
  readonly currency: "GBP";
  readonly revenueMinor: number;
  /** By the order's month, as `2010-12`. */
  readonly revenueByMonth: Counts;
  readonly revenueByCountry: Counts;
  readonly ordersByCountry: Counts;
  readonly unitsBySku: Counts;
  /** Merchandise only: SKUs of five digits and up to two letters. Ties by SKU. */
  readonly top20: {
    readonly units: readonly BestSeller[];
    readonly revenue: readonly BestSeller[];
  };
  readonly adjustments: {
    readonly applied: number;
    readonly refused: Counts;
    readonly units: number;
  };
  readonly stockUnits: { readonly initial: number; readonly left: number };
  /** Completed orders, and their lines, from the first placed to the last settled, by the shop's clock; null in a dry run. */
  readonly ordersPerSecond: number | null;
  readonly linesPerSecond: number | null;
  readonly latencyMs: { readonly p50: number; readonly p99: number } | null;
  /** Lines of the file that were not played, by reason. */
  readonly notPlayed: Readonly<Partial<Record<NotPlayedReason, number>>>;
  /** Lines priced in fractions of a penny, and what rounding each of them took from the revenue, as exact decimals. */
  readonly pricesBelowMinorUnit: {
    readonly count: number;
    readonly lines: readonly OddPrice[];
    readonly difference: string;
    readonly differenceByMonth: Readonly<Record<string, string>>;
  };
  readonly wrongTotals: { readonly count: number; readonly examples: readonly WrongTotal[] };
  readonly checks: readonly Check[];
}

const merchandise = /^[0-9]{5}[A-Z]{0,2}$/;

/** Makes the report. Pure: the same figures give the same report, byte for byte. */
export function reportOf(input: ReportInput): ReplayReport {
  const { source, mode, survey, tally } = input;
  const left = new Map([...input.left].map((stock) => [stock.sku, stock]));
  const checks = checksOf({
    ...input,
    left,
    leftExpected: stockLeftWhenAllPlayed(survey.movements, input.initial),
  });
  return {
    source,
    stock: mode,
    from: survey.firstTs,
    to: survey.lastTs,
    ok: checks.every((check) => check.ok),
    ...orderFigures(tally),
    lines: tally.lines,
    units: tally.units,
    currency: "GBP",
    revenueMinor: tally.revenueMinor,
    revenueByMonth: sorted(tally.revenueByMonth),
    revenueByCountry: sorted(tally.revenueByCountry),
    ordersByCountry: sorted(tally.ordersByCountry),
    unitsBySku: sorted(tally.unitsBySku),
    top20: bestSellers(tally, survey),
    adjustments: {
      applied: tally.adjustmentsApplied,
      refused: sorted(tally.adjustmentsRefused),
      units: total(tally.adjustedBySku.values()),
    },
    stockUnits: {
      initial: total(input.initial.values()),
      left: total([...left.values()].map((stock) => stock.onHand)),
    },
    ...pace(tally),
    notPlayed: sorted(new Map(Object.entries(survey.notPlayed))),
    pricesBelowMinorUnit: {
      count: tally.oddPrices.count,
      lines: tally.oddPrices.examples,
      difference: exactText(tally.roundedAway),
      differenceByMonth: sorted(
        new Map([...tally.roundedAwayByMonth].map(([month, lost]) => [month, exactText(lost)])),
      ),
    },
    wrongTotals: tally.wrongTotals,
    checks,
  };
}

function orderFigures(tally: Tally) {
  const { ordersPlaced, ordersCompleted, ordersRejected, ordersCancelled } = tally;
  const settled = ordersCompleted + total(ordersRejected.values()) + total(ordersCancelled.values());
  return {
    ordersPlaced,
    ordersCompleted,
    ordersRejected: sorted(ordersRejected),
    ordersCancelled: sorted(ordersCancelled),
    ordersUnsettled: ordersPlaced - settled,
  };
}

function pace(tally: Tally): Pick<ReplayReport, "ordersPerSecond" | "linesPerSecond" | "latencyMs"> {
  const seconds = (tally.lastSettledAtMs - tally.firstPlacedAtMs) / 1_000;
  const perSecond = (count: number): number | null => (seconds > 0 ? Math.round((count / seconds) * 10) / 10 : null);
  const ms = (percentile: number): number => tally.latencyUs.percentile(percentile) / 1_000;
  return {
    ordersPerSecond: perSecond(tally.ordersCompleted),
    linesPerSecond: perSecond(tally.lines),
    latencyMs: tally.latencyUs.count === 0 ? null : { p50: ms(50), p99: ms(99) },
  };
}

function bestSellers(tally: Tally, survey: Survey): ReplayReport["top20"] {
  const titles = new Map(survey.products.map((product) => [product.sku, product.title]));
  const sellers: BestSeller[] = [...tally.unitsBySku]
    .filter(([sku]) => merchandise.test(sku))
    .map(([sku, units]) => ({
      sku,
      title: titles.get(sku) ?? sku,
      units,
      revenueMinor: tally.revenueBySku.get(sku) ?? 0,
    }));
  const top = (by: "units" | "revenueMinor"): BestSeller[] =>
    sellers.toSorted((a, b) => b[by] - a[by] || order(a.sku, b.sku)).slice(0, 20);
  return { units: top("units"), revenue: top("revenueMinor") };
}

/** A plain object with its keys in order, so that two reports can be compared as text. */
function sorted<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...map].toSorted(([a], [b]) => order(a, b)));
}

export function total(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
