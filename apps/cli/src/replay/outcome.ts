import { adjustment } from "@waybill/inventory";
import { order, type Order } from "@waybill/orders";
import type { Engine } from "@waybill/server";
import { readBooks, stockNow } from "./books.ts";
import { plays } from "./invoices.ts";
import { adjustmentId, orderId } from "./plan.ts";
import { hasEnded } from "./play.ts";
import { reportOf, type ReplayReport, type ReportInput } from "./report.ts";
import { createTally, type Outcome } from "./tally.ts";

/**
 * Makes the report from what the shop has stored, going through the file once more: nothing is taken over from the run
 * itself, so a run that was killed and went on, however often, has the report of one that was not.
 */
export async function reportFrom(
  engine: Engine,
  file: string,
  input: Pick<ReportInput, "source" | "mode" | "survey" | "initial">,
  onOrder: () => void,
): Promise<ReplayReport> {
  const { source, survey } = input;
  const { durable } = engine;
  const tally = createTally();
  for await (const play of plays(file, survey.interrupted)) {
    if (play.kind === "order") {
      const found = await durable.state("orders", order, orderId(source, play));
      onOrder();
      if (found === undefined) continue;
      tally.placed();
      const outcome = outcomeOf(found);
      if (outcome !== undefined) tally.settled(play, outcome);
    } else {
      const decided = await durable.state("inventory", adjustment, adjustmentId(source, play));
      if (decided !== undefined) tally.adjusted(play, kindOf(decided.refused));
    }
  }
  return reportOf({ ...input, tally: tally.figures, left: await stockNow(engine), books: await readBooks(engine) });
}

/** What became of an order; undefined when it has not come to its end. */
export function outcomeOf(found: Order): Outcome | undefined {
  const { status, lines, total, reason } = found;
  if (!hasEnded(found)) return undefined;
  const clock = clockOf(found);
  return {
    status: status as Outcome["status"],
    ...(reason === undefined ? {} : { reason }),
    lines: lines.map(({ sku, quantity, amount = 0 }) => ({ sku, quantity, amountMinor: amount })),
    totalMinor: total,
    ...(clock === undefined ? {} : { clock }),
  };
}

/** From the order's own history: when it was asked for, and when it said that it had come to its end. */
function clockOf({ status, history }: Order): Outcome["clock"] {
  const placed = history[0];
  const settled = history.findLast(([type]) => type === `order.${status}`);
  return placed === undefined || settled === undefined ? undefined : { placedAtMs: placed[4], settledAtMs: settled[4] };
}

/**
 * Which of the two reasons that the shop gives for too few pieces it is depends on how many orders have left already; both
 * are one here, so that the report does not depend on that.
 */
function kindOf(refused: string | undefined): string | undefined {
  if (refused === undefined) return undefined;
  return refused.includes("cannot be counted") ? "too-many" : "not-enough-stock";
}
