import { exactAmount, roundHalfEven } from "./amount.ts";
import { plays, type OrderPlay } from "./invoices.ts";
import { sourceOf } from "./plan.ts";
import { reportOf, type ReplayReport } from "./report.ts";
import { initialStock, type StockMode } from "./stock.ts";
import { survey } from "./survey.ts";
import { createTally, type Outcome } from "./tally.ts";

/**
 * What the report would say of a shop without faults that handles one play after the other, in file order. Touches no
 * shop: it says beforehand what to expect of a run, and holds the file's reading and the report's sums against a reference.
 */
export async function dryRun(file: string, mode: StockMode): Promise<ReplayReport> {
  const found = await survey(file);
  const initial = initialStock(found.movements, mode);
  const shelf = createShelf(initial);
  const tally = createTally();
  for await (const play of plays(file, found.interrupted)) {
    if (play.kind === "order") {
      tally.placed();
      tally.settled(play, shelf.sell(play));
    } else {
      tally.adjusted(play, shelf.adjust(play.sku, play.quantity));
    }
  }
  return reportOf({
    source: sourceOf(file),
    mode,
    survey: found,
    tally: tally.figures,
    initial,
    left: shelf.left(),
  });
}

/** The outcome of an order that completes, by the invoice alone. */
export function completedOutcome(order: OrderPlay): Outcome {
  const lines = order.lines.map(({ sku, quantity, unitPrice }) => ({
    sku,
    quantity,
    amountMinor: roundHalfEven(exactAmount(quantity, unitPrice)),
  }));
  const totalMinor = lines.reduce((sum, line) => sum + line.amountMinor, 0);
  return { status: "completed", lines, totalMinor };
}

function createShelf(initial: ReadonlyMap<string, number>) {
  const stock = new Map(initial);
  return {
    /** All lines or none; lines that share a SKU are summed. */
    sell(order: OrderPlay): Outcome {
      const wanted = new Map<string, number>();
      for (const { sku, quantity } of order.lines) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
      const outcome = completedOutcome(order);
      for (const [sku, units] of wanted) {
        if ((stock.get(sku) ?? 0) < units) return { ...outcome, status: "rejected", reason: "out-of-stock" };
      }
      for (const [sku, units] of wanted) stock.set(sku, (stock.get(sku) ?? 0) - units);
      return outcome;
    },
    /** The reason of a refusal, or undefined when it is done. */
    adjust(sku: string, quantity: number): string | undefined {
      const units = (stock.get(sku) ?? 0) + quantity;
      if (units < 0) return "not-enough-stock";
      stock.set(sku, units);
      return undefined;
    },
    left: () => [...stock].map(([sku, onHand]) => ({ sku, onHand, reserved: 0 })),
  };
}
