import { orderImport, productPut, stockAdjust, type OrderImport } from "@waybill/contracts";
import { product } from "@waybill/catalogue";
import { adjustment } from "@waybill/inventory";
import { codeOf, partitionOf } from "@waybill/messaging";
import { order, type Order } from "@waybill/orders";
import { partitions, type Shop } from "@waybill/server";
import { ReplayError } from "./errors.ts";
import type { Gauge } from "./gauge.ts";
import type { AdjustmentPlay, OrderPlay, Play } from "./invoices.ts";
import { adjustmentId, dueAtMs, initialStockId, orderId, type Speed } from "./plan.ts";
import type { Survey } from "./survey.ts";

/** What is under way: `undecided` of the goods, `unsettled` altogether. */
export interface Gauges {
  readonly undecided: Gauge;
  readonly unsettled: Gauge;
}

export interface Stage extends Gauges {
  readonly shop: Shop;
  readonly source: string;
  readonly speed: Speed;
  /**
   * Every decision on the goods is taken in the file's order. Without it orders and adjustments overtake one another,
   * which is faster, and no matter when the stock is enough for all.
   */
  readonly inOrder: boolean;
  /** The folder may hold some of it already. */
  readonly resumed: boolean;
  readonly signal: AbortSignal;
  /** An order was there from before, and may have come to its end. */
  onKnown(hasEnded: boolean): void;
  /** Ends the replay. */
  fail(error: unknown): void;
}

/** An order weighs as many lines as it has, and no less than this, so that 2,000 orders are under way at most. */
const weightMin = 25;
const weightMax = 2_000 * weightMin;
/** How many products, or first adjustments, are sent at once. */
const preparedMax = 1_000;

/** Puts the catalogue and the first stock on the shelves; resolves when the shop has taken all of it. */
export async function prepare(stage: Stage, survey: Survey, initial: ReadonlyMap<string, number>): Promise<void> {
  const { shop, source, resumed, unsettled } = stage;
  const { durable } = shop.engine;
  const putProduct = async ({ ...body }: Survey["products"][number]): Promise<void> => {
    if (resumed && (await durable.state("catalogue", product, body.sku)) !== undefined) return;
    await shop.publisher.publish(productPut, { ...body, active: true });
  };
  const stockUp = async ([sku, quantity]: readonly [string, number]): Promise<void> => {
    const id = initialStockId(source, survey.firstAtMs, sku);
    if (resumed && (await durable.state("inventory", adjustment, id)) !== undefined) return;
    unsettled.add(id, 1);
    await shop.publisher.publish(stockAdjust, { adjustmentId: id, sku, quantity, reason: "Initial stock" }, { id });
  };
  await inChunks(survey.products, putProduct);
  await inChunks([...initial], stockUp);
  await unsettled.below(1);
}

async function inChunks<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += preparedMax) {
    await Promise.all(items.slice(at, at + preparedMax).map(act));
  }
}

/** Plays everything in file order, each at its time; resolves when all of it has come to its end. */
export async function playAll(stage: Stage, plays: AsyncIterable<Play>, nowMs: () => number): Promise<void> {
  const { undecided, unsettled, inOrder, signal } = stage;
  const wait = pacer(stage, nowMs);
  const send = sender(stage);
  const hasOneOrder = stage.shop.engine.name === "embedded";
  let last: Play["kind"] | undefined;
  for await (const play of plays) {
    signal.throwIfAborted();
    // Orders and adjustments travel on different topics: one kind waits until the other is decided. Partitions of a broker
    // keep no order between them at all.
    if (inOrder && (last !== play.kind || !hasOneOrder)) await undecided.below(1);
    last = play.kind;
    if (await isKnown(stage, play)) continue;
    await wait(play.atMs);
    await unsettled.below(weightMax);
    await send(play);
  }
  await unsettled.below(1);
}

/** Waits until a play is due; the first that is played is due at once. */
function pacer({ speed, shop, signal }: Stage, nowMs: () => number): (atMs: number) => Promise<void> {
  let began: { readonly nowMs: number; readonly atMs: number } | undefined;
  return async (atMs) => {
    if (speed === Infinity) return;
    began ??= { nowMs: nowMs(), atMs };
    const dueMs = dueAtMs(speed, began.nowMs, began.atMs, atMs);
    // A sleep is a day at most.
    while (nowMs() < dueMs && !signal.aborted) await shop.world.sleep(dueMs - nowMs(), signal);
    signal.throwIfAborted();
  };
}

/** Whether the shop has a play from before; what it has not finished is then waited for. */
async function isKnown(stage: Stage, play: Play): Promise<boolean> {
  const { resumed, source, shop, undecided, unsettled } = stage;
  if (!resumed) return false;
  const { durable } = shop.engine;
  if (play.kind === "adjustment") {
    return (await durable.state("inventory", adjustment, adjustmentId(source, play))) !== undefined;
  }
  const id = orderId(source, play);
  const known = await durable.state("orders", order, id);
  if (known === undefined) return false;
  if (known.status === "placed") undecided.add(id, 1);
  if (!hasEnded(known)) unsettled.add(id, Math.max(weightMin, play.lines.length));
  stage.onKnown(hasEnded(known));
  return true;
}

/** Whether an order's life is over. */
export function hasEnded({ status }: Pick<Order, "status">): boolean {
  return status === "completed" || status === "rejected" || status === "cancelled";
}

/** Sends plays; in order, if the stage asks for it. */
function sender(stage: Stage): (play: Play) => Promise<void> {
  const underWay = new Map<number, Promise<unknown>>();
  return async (play) => {
    if (!stage.inOrder || play.kind === "adjustment") {
      void publishNew(stage, play).catch((error: unknown) => stage.fail(error));
      return;
    }
    // The publisher sends to a partition only when it has nothing unanswered there; until then whatever came later
    // would overtake this order on other partitions.
    const partition = partitionOf(orderId(stage.source, play), partitions);
    await underWay.get(partition);
    if (await isKnown(stage, play)) return;
    const sent = publish(stage, play).catch((error: unknown) => stage.fail(error));
    underWay.set(partition, sent);
    // The publisher appends at the end of the present turn: the next order goes with the next one.
    await Promise.resolve();
  };
}

/** What was sent before a kill may have come to its end while this play waited for its turn. */
async function publishNew(stage: Stage, play: Play): Promise<void> {
  if (!(await isKnown(stage, play))) await publish(stage, play);
}

async function publish(stage: Stage, play: Play): Promise<void> {
  const { shop, source, undecided, unsettled } = stage;
  if (play.kind === "adjustment") {
    const id = adjustmentId(source, play);
    undecided.add(id, 1);
    unsettled.add(id, 1);
    await shop.publisher.publish(stockAdjust, adjustmentBody(id, play), { id });
    return;
  }
  const id = orderId(source, play);
  undecided.add(id, 1);
  unsettled.add(id, Math.max(weightMin, play.lines.length));
  await shop.publisher.publish(orderImport, importBody(id, play), { id }).catch((error: unknown) => {
    throw codeOf(error) === "MESSAGE_INVALID" || codeOf(error) === "MESSAGE_TOO_LARGE" ? notTaken(play, error) : error;
  });
}

function notTaken({ invoice, ts }: OrderPlay, error: unknown): ReplayError {
  const text = `Invoice ${invoice} of ${ts} is no order that the shop takes: ${(error as Error).message}`;
  return new ReplayError("FILE_INVALID", text, error);
}

function adjustmentBody(id: string, { sku, quantity, reason }: AdjustmentPlay) {
  return { adjustmentId: id, sku, quantity, reason };
}

function importBody(id: string, { atMs, customer, country, lines }: OrderPlay): OrderImport {
  return {
    orderId: id,
    placedAtMs: atMs,
    customer,
    currency: "GBP",
    ...(country === "" ? {} : { country }),
    payment: { token: "tok_approved" },
    lines: lines.map(({ sku, quantity, unitPrice }) => ({ sku, quantity, unitPrice })),
  };
}
