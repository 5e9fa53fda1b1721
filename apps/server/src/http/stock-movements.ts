import {
  stockAdjusted,
  stockReleased,
  stockReserved,
  stockShipped,
  topics,
  type StockAdjusted,
  type StockMoved,
} from "@waybill/contracts";
import { stock as stockKind } from "@waybill/inventory";
import { bodyText, type PartitionBounds, type StoredMessage, type Transport } from "@waybill/messaging";
import { type } from "arktype";
import type { FastifyInstance } from "fastify";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { valueOf } from "./body.ts";
import { limitDefault, limitTo } from "./page-limit.ts";
import type { Api } from "./document/api.ts";
import { jsonSchema } from "./document/json-schema.ts";
import { Problem } from "./problem.ts";
import { shapes } from "./shapes.ts";

/** How many messages one request looks through for those of its SKU. */
const lookMax = 20_000;
/** How many of them it reads at once. */
const windowMax = 2_000;
const pageBytesMax = 8_388_608;

const movementsQuery = type({
  "+": "reject",
  "pretty?": "string",
  "limit?": limitTo(200),
  "before?": type(/^\d{1,16}$/).describe("only what was said before this time, in milliseconds since 1970"),
});

interface Movement {
  readonly atMs: number;
  readonly view: Readonly<Record<string, unknown>>;
}

/**
 * The ledger of a SKU, the newest first. The topic `stock` is that ledger, of all SKUs in all its partitions: it is walked back
 * in windows of time, each so narrow that it holds few messages, and no request walks further than its bound.
 */
export function addStockMovements(app: FastifyInstance, { engine }: HttpParts): void {
  const topic = topics.stock.name;

  app.get<{ Params: { sku: string } }>(
    "/stock/:sku/movements",
    { config: { api: movements } },
    async (request, reply) => {
      const { sku } = request.params;
      const query = valueOf(movementsQuery, request.query);
      if ((await engine.durable.state("inventory", stockKind, sku)) === undefined) {
        throw new Problem("not-found", `There is no stock of ${sku}.`);
      }
      const limit = Number(query.limit ?? limitDefault);
      const transport = engine.durable.transportOf(topic);
      // What is said in this very millisecond is not all said yet.
      let beforeMs = Math.min(Number(query.before ?? Infinity), engine.store.nowMs() + 1);
      const found: Movement[] = [];
      let isEnd = false;
      for (let looked = 0; !isEnd && looked < lookMax && found.length < limit;) {
        const window = await windowBefore(transport, topic, beforeMs);
        const own = await movementsIn(transport, window, sku);
        looked += Math.max(window.messages, 1);
        found.push(...own);
        beforeMs = window.fromMs;
        isEnd = window.isFirst;
      }
      const page = wholeMoments(found, limit);
      const last = page.at(-1);
      const nextMs = page.length < found.length ? last!.atMs : beforeMs;
      const hasNext = page.length < found.length || !isEnd;
      const next = hasNext ? `/stock/${encodeURIComponent(sku)}/movements?before=${nextMs}&limit=${limit}` : undefined;
      return answer(reply, 200, { sku, movements: page.map(({ view }) => view), next });
    },
  );
}

/** The first of them, and whatever else was said in the last one's millisecond: a page ends between two moments. */
function wholeMoments(found: readonly Movement[], limit: number): readonly Movement[] {
  let end = Math.min(limit, found.length);
  while (end > 0 && end < found.length && found[end]!.atMs === found[end - 1]!.atMs) end += 1;
  return found.slice(0, end);
}

/** A stretch of time and where it lies in each partition. */
interface Window {
  readonly fromMs: number;
  readonly from: readonly PartitionBounds[];
  readonly to: readonly PartitionBounds[];
  /** About how many messages it holds: offsets are not dense. */
  readonly messages: number;
  /** Nothing is kept that is older. */
  readonly isFirst: boolean;
}

/** The widest window that ends before a time and holds few messages, found by halving. */
async function windowBefore(transport: Transport, topic: string, beforeMs: number): Promise<Window> {
  const to = await transport.bounds(topic, beforeMs);
  let newestMs = beforeMs;
  let spanMs = 60_000;
  let best: Window | undefined;
  for (;;) {
    const fromMs = Math.max(0, newestMs - spanMs);
    const window = windowFrom(await transport.bounds(topic, fromMs), to, fromMs);
    if (window.isFirst || window.messages >= windowMax) {
      if (window.messages <= windowMax || spanMs <= 1) return window;
      if (best !== undefined) return best;
      spanMs = Math.max(1, Math.floor(spanMs / 8));
      newestMs = beforeMs;
    } else {
      best = window;
      spanMs *= 8;
    }
  }
}

function windowFrom(from: readonly PartitionBounds[], to: readonly PartitionBounds[], fromMs: number): Window {
  let messages = 0;
  let isFirst = true;
  for (const [at, bounds] of from.entries()) {
    const begin = Math.max(bounds.offsetAt ?? 0, bounds.firstOffset);
    messages += Math.max(0, endOf(to[at]!) - begin);
    isFirst &&= begin <= bounds.firstOffset;
  }
  return { fromMs, from, to, messages, isFirst: isFirst || fromMs === 0 };
}

function endOf({ offsetAt, nextOffset }: PartitionBounds): number {
  return Math.min(offsetAt ?? nextOffset, nextOffset);
}

/** What moved a SKU's pieces in a window, the newest first. */
async function movementsIn(transport: Transport, { from, to }: Window, sku: string): Promise<readonly Movement[]> {
  const found: Movement[] = [];
  const text = JSON.stringify(sku);
  for (const [at, bounds] of from.entries()) {
    const end = endOf(to[at]!);
    let nextOffset = Math.max(bounds.offsetAt ?? 0, bounds.firstOffset);
    while (nextOffset < end) {
      await using reader = transport.reader([{ ...bounds, nextOffset }]);
      const { messages } = await reader.fetch(
        { messages: windowMax, bytes: pageBytesMax, waitMs: 0 },
        new AbortController().signal,
      );
      if (messages.length === 0) break;
      for (const message of messages) {
        if (message.offset >= end) break;
        const view = movementOf(message, sku, text);
        if (view !== undefined) found.push({ atMs: message.atMs, view });
      }
      nextOffset = messages.at(-1)!.offset + 1;
    }
  }
  return found.sort((a, b) => b.atMs - a.atMs);
}

/** By how much each event of an order moves pieces: on hand and reserved. */
const byOrder: Readonly<Record<string, true>> = {
  [stockReserved.name]: true,
  [stockReleased.name]: true,
  [stockShipped.name]: true,
};

function movementOf(message: StoredMessage, sku: string, text: string): Movement["view"] | undefined {
  const { atMs, type: name, partition, offset, id } = message;
  const isAdjusted = name === stockAdjusted.name && message.subject === sku;
  if (!isAdjusted && byOrder[name] === undefined) return undefined;
  const raw = bodyText(message.body);
  if (!raw.includes(text)) return undefined;
  const place = { partition, offset, id };
  const at = new Date(atMs).toISOString();
  if (isAdjusted) {
    const { quantity, onHand, reserved, adjustmentId, reason } = JSON.parse(raw) as StockAdjusted;
    return { at, type: name, quantity, onHand, reserved, adjustmentId, reason, ...place };
  }
  const { orderId, lines } = JSON.parse(raw) as StockMoved;
  const line = lines.find((one) => one.sku === sku);
  if (line === undefined) return undefined;
  const { quantity, onHand, reserved } = line;
  return { at, type: name, quantity, onHand, reserved, orderId, ...place };
}

const movements: Api = {
  tag: "stock",
  summary: "What moved the pieces of a SKU, the newest first",
  text: "Each entry has what it left on hand and reserved. One request looks through 20,000 messages at most: a page may be short, or empty, and still have a `next`.",
  role: "operator",
  query: jsonSchema(movementsQuery),
  answers: { 200: { text: "A page; `next` is the path of the one after it.", schema: shapes.movements } },
  problems: ["not-found"],
};
