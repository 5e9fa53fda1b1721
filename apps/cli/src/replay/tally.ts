import { createHistogram } from "node:perf_hooks";
import { exactAmount, exactPrice, lostByRounding, roundHalfEven } from "./amount.ts";
import type { AdjustmentPlay, OrderLine, OrderPlay } from "./invoices.ts";

/** What the shop says about an order that has come to its end. */
export interface Outcome {
  readonly status: "completed" | "rejected" | "cancelled";
  /** The shop's reason when it is not completed, such as `out-of-stock`. */
  readonly reason?: string;
  /** The shop's own lines and sums, in minor units; never taken from the file. */
  readonly lines: readonly {
    readonly sku: string;
    readonly quantity: number;
    readonly amountMinor: number;
  }[];
  readonly totalMinor: number;
  /** When it was placed and when it came to its end, by the shop's clock; absent in a dry run. */
  readonly clock?: { readonly placedAtMs: number; readonly settledAtMs: number };
}

/** A line whose unit price is not a whole number of pence, so that rounding may lose or add something. */
export interface OddPrice extends OrderLine {
  readonly invoice: string;
  readonly ts: string;
}

/** An order whose shop total is not what its invoice says. */
export interface WrongTotal {
  readonly invoice: string;
  readonly expectedMinor: number;
  readonly gotMinor: number;
}

/** Of a list that is only there to be looked at, this many are kept; all are counted. */
const examplesMax = 100;

class Counter extends Map<string, number> {
  add(key: string, by: number): void {
    this.set(key, (this.get(key) ?? 0) + by);
  }
}

/** Every figure of a run, so far. Grows with SKUs, countries and months, never with orders. */
export type Tally = ReturnType<typeof createTally>["figures"];

/**
 * Counts what was played and what the shop made of it. Every figure follows from the file and the shop's own orders, so a
 * run that was killed and resumed, and gives each outcome again once, ends with the same figures.
 */
export function createTally() {
  const figures = {
    ordersPlaced: 0,
    ordersCompleted: 0,
    ordersRejected: new Counter(),
    ordersCancelled: new Counter(),
    lines: 0,
    units: 0,
    revenueMinor: 0,
    revenueByMonth: new Counter(),
    revenueByCountry: new Counter(),
    ordersByCountry: new Counter(),
    unitsBySku: new Counter(),
    revenueBySku: new Counter(),
    /** Units of the completed orders as their invoices have them, beside `unitsBySku` as the shop has them. */
    invoicedBySku: new Counter(),
    wrongTotals: { count: 0, examples: [] as WrongTotal[] },
    oddPrices: { count: 0, examples: [] as OddPrice[] },
    /** Exact amount (ten-thousandths) that rounding each line took from the revenue. */
    roundedAway: 0n,
    roundedAwayByMonth: new Map<string, bigint>(),
    adjustmentsApplied: 0,
    adjustmentsRefused: new Counter(),
    adjustedBySku: new Counter(),
    /** Placed to completed, in microseconds, to three figures. */
    latencyUs: createHistogram({ figures: 3 }),
    firstPlacedAtMs: Infinity,
    lastSettledAtMs: 0,
  };

  return {
    figures,
    /** An order was accepted by the shop, now or before a restart. */
    placed(): void {
      figures.ordersPlaced += 1;
    },
    /** An order came to its end. Each order once. */
    settled(order: OrderPlay, outcome: Outcome): void {
      if (outcome.clock !== undefined) timed(figures, outcome.status, outcome.clock);
      const reason = outcome.reason ?? "unspecified";
      if (outcome.status === "rejected") figures.ordersRejected.add(reason, 1);
      else if (outcome.status === "cancelled") figures.ordersCancelled.add(reason, 1);
      else completed(figures, order, outcome);
    },
    /** The shop took an adjustment, or refused it with this reason. */
    adjusted(play: AdjustmentPlay, refusedBecause?: string): void {
      if (refusedBecause !== undefined) return figures.adjustmentsRefused.add(refusedBecause, 1);
      figures.adjustmentsApplied += 1;
      figures.adjustedBySku.add(play.sku, play.quantity);
    },
  };
}

function timed(figures: Tally, status: Outcome["status"], clock: NonNullable<Outcome["clock"]>): void {
  figures.firstPlacedAtMs = Math.min(figures.firstPlacedAtMs, clock.placedAtMs);
  figures.lastSettledAtMs = Math.max(figures.lastSettledAtMs, clock.settledAtMs);
  // The histogram takes whole numbers from 1.
  if (status === "completed")
    figures.latencyUs.record(Math.max(1, Math.round((clock.settledAtMs - clock.placedAtMs) * 1_000)));
}

function completed(figures: Tally, order: OrderPlay, outcome: Outcome): void {
  figures.ordersCompleted += 1;
  figures.lines += outcome.lines.length;
  figures.revenueMinor += outcome.totalMinor;
  figures.revenueByMonth.add(monthOf(order), outcome.totalMinor);
  figures.revenueByCountry.add(order.country, outcome.totalMinor);
  figures.ordersByCountry.add(order.country, 1);
  for (const { sku, quantity, amountMinor } of outcome.lines) {
    figures.units += quantity;
    figures.unitsBySku.add(sku, quantity);
    figures.revenueBySku.add(sku, amountMinor);
  }
  compareWithInvoice(figures, order, outcome);
}

function compareWithInvoice(figures: Tally, order: OrderPlay, outcome: Outcome): void {
  let expectedMinor = 0;
  for (const line of order.lines) {
    const exact = exactAmount(line.quantity, line.unitPrice);
    const minor = roundHalfEven(exact);
    expectedMinor += minor;
    figures.invoicedBySku.add(line.sku, line.quantity);
    if (exactPrice(line.unitPrice) % 100n !== 0n) noteOddPrice(figures, order, line, lostByRounding(exact, minor));
  }
  if (expectedMinor === outcome.totalMinor) return;
  keep(figures.wrongTotals, {
    invoice: order.invoice,
    expectedMinor,
    gotMinor: outcome.totalMinor,
  });
}

function noteOddPrice(figures: Tally, order: OrderPlay, line: OrderLine, lost: bigint): void {
  const month = monthOf(order);
  figures.roundedAway += lost;
  figures.roundedAwayByMonth.set(month, (figures.roundedAwayByMonth.get(month) ?? 0n) + lost);
  keep(figures.oddPrices, { invoice: order.invoice, ts: order.ts, ...line });
}

function keep<T>(list: { count: number; examples: T[] }, item: T): void {
  list.count += 1;
  if (list.examples.length < examplesMax) list.examples.push(item);
}

function monthOf(order: OrderPlay): string {
  return order.ts.slice(0, 7);
}
