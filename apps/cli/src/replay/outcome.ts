import { adjustment } from "@waybill/inventory";
import { order, type Order } from "@waybill/orders";
import type { Engine } from "@waybill/server";
import { readBooks, stockNow } from "./books.ts";
import { plays, type Play } from "./invoices.ts";
import { adjustmentId, orderId } from "./plan.ts";
import { hasEnded } from "./play.ts";
import { reportOf, type ReplayReport, type ReportInput } from "./report.ts";
import { createTally, type Outcome } from "./tally.ts";

interface Adjustment {
  readonly refused?: string;
}

/** How many states are asked for at once. */
const askedMax = 64;

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
  const tell = (play: Play, found: Order | Adjustment | undefined): void => {
    if (play.kind === "order") onOrder();
    if (found === undefined) return;
    if (play.kind === "adjustment") return tally.adjusted(play, kindOf((found as Adjustment).refused));
    tally.placed();
    const outcome = outcomeOf(found as Order);
    if (outcome !== undefined) tally.settled(play, outcome);
  };
  const stored = (play: Play): Promise<Order | Adjustment | undefined> =>
    play.kind === "order"
      ? durable.state("orders", order, orderId(source, play))
      : durable.state("inventory", adjustment, adjustmentId(source, play));
  for await (const chunk of chunksOf(plays(file, survey.interrupted))) {
    const found = await Promise.all(chunk.map(stored));
    for (const [at, play] of chunk.entries()) tell(play, found[at]);
  }
  return reportOf({ ...input, tally: tally.figures, left: await stockNow(engine), books: await readBooks(engine) });
}

/** Many at a time, since each is asked for in a database that may be far away. */
async function* chunksOf<T>(items: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  let chunk: T[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length < askedMax) continue;
    yield chunk;
    chunk = [];
  }
  yield chunk;
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
