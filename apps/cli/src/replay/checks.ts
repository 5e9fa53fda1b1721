import type { ReportInput, StockLeft } from "./report.ts";

/** One thing that must hold, with what was found. */
export interface Check {
  readonly name: string;
  readonly expected: number;
  readonly got: number;
  readonly ok: boolean;
  /** The first few things that are wrong. */
  readonly examples?: readonly string[];
}

interface Facts extends Omit<ReportInput, "left"> {
  readonly left: ReadonlyMap<string, StockLeft>;
  /** Stock of each SKU when all was played, worked out from the file before anything was. */
  readonly leftExpected: ReadonlyMap<string, number>;
}

const examplesMax = 5;

/** What a run proves about itself without any reference. */
export function checksOf(facts: Facts): Check[] {
  const checks = [...orderChecks(facts), ...stockChecks(facts), ...bookChecks(facts)];
  return facts.mode === "exact" ? [...checks, ...exactChecks(facts)] : checks;
}

function orderChecks({ survey, tally }: Facts): Check[] {
  const refused = sum(tally.ordersRejected) + sum(tally.ordersCancelled);
  return [
    equal("every order of the file was placed", survey.orders, tally.ordersPlaced),
    equal("every placed order came to its end", tally.ordersPlaced, tally.ordersCompleted + refused),
    equal(
      "every adjustment was applied or refused",
      survey.adjustments,
      tally.adjustmentsApplied + sum(tally.adjustmentsRefused),
    ),
    none(
      "completed orders whose total is not their invoice's",
      tally.wrongTotals.count,
      tally.wrongTotals.examples.map(
        (wrong) => `${wrong.invoice}: ${wrong.gotMinor} instead of ${wrong.expectedMinor}`,
      ),
    ),
    differing("SKUs whose completed units are not their invoices'", tally.invoicedBySku, tally.unitsBySku),
  ];
}

function stockChecks({ tally, initial, left }: Facts): Check[] {
  const stocks = [...left.values()];
  const balance = new Map<string, number>();
  for (const [sku, units] of initial) {
    balance.set(sku, units + (tally.adjustedBySku.get(sku) ?? 0) - (tally.unitsBySku.get(sku) ?? 0));
  }
  return [
    differing("SKUs where sold + left ≠ initial + adjusted", balance, onHand(left, balance)),
    listed(
      "SKUs below zero",
      stocks.filter((stock) => stock.onHand < 0),
      (stock) => `${stock.sku}: ${stock.onHand}`,
    ),
    listed(
      "SKUs with units still reserved",
      stocks.filter((stock) => stock.reserved !== 0),
      (stock) => `${stock.sku}: ${stock.reserved}`,
    ),
  ];
}

function bookChecks({ books, tally, left }: Facts): Check[] {
  if (books === undefined) return [];
  const { stillReserved, impossible, ledgerBySku } = books;
  return [
    none("orders whose goods are still held", stillReserved.count, stillReserved.examples),
    none("stock movements that left less than nothing", impossible.count, impossible.examples),
    differing("SKUs whose movements do not add up to their stock", ledgerBySku, onHand(left, ledgerBySku)),
    equal("money taken from customers, in minor units, is the revenue", tally.revenueMinor, books.capturedMinor),
    equal("money still held on cards, in minor units", 0, books.heldMinor),
  ];
}

function exactChecks({ survey, tally, left, leftExpected }: Facts): Check[] {
  return [
    equal("every order completed", survey.orders, tally.ordersCompleted),
    equal("every sale line completed", survey.saleLines, tally.lines),
    equal("every adjustment applied", survey.adjustments, tally.adjustmentsApplied),
    differing("SKUs whose stock is not what the file leaves", leftExpected, onHand(left, leftExpected)),
  ];
}

/** What is on hand of the SKUs that are asked about; a SKU that the shop does not know has nothing. */
function onHand(left: ReadonlyMap<string, StockLeft>, asked: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...asked.keys()].map((sku) => [sku, left.get(sku)?.onHand ?? 0]));
}

function equal(name: string, expected: number, got: number): Check {
  return { name, expected, got, ok: expected === got };
}

function none(name: string, got: number, examples: readonly string[]): Check {
  const check = equal(name, 0, got);
  return check.ok ? check : { ...check, examples: examples.slice(0, examplesMax) };
}

function listed<T>(name: string, wrong: readonly T[], text: (item: T) => string): Check {
  return none(name, wrong.length, wrong.slice(0, examplesMax).map(text));
}

function differing(name: string, expected: ReadonlyMap<string, number>, got: ReadonlyMap<string, number>): Check {
  const skus = [...new Set([...expected.keys(), ...got.keys()])];
  const wrong = skus.filter((sku) => (expected.get(sku) ?? 0) !== (got.get(sku) ?? 0));
  return listed(name, wrong, (sku) => `${sku}: ${got.get(sku) ?? 0} instead of ${expected.get(sku) ?? 0}`);
}

function sum(counts: ReadonlyMap<string, number>): number {
  let all = 0;
  for (const count of counts.values()) all += count;
  return all;
}
