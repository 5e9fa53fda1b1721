import { topics } from "@waybill/contracts";
import {
  partitionOf,
  type PartitionBounds,
  type Position,
  type StoredMessage,
  type Topic,
  type Transport,
} from "@waybill/messaging";
import { journey, type Order } from "@waybill/orders";
import { setTimeout as pause } from "node:timers/promises";
import { partitions, type Engine } from "./engine.ts";
import { pagesTo } from "./pages.ts";

/** One message of an order's life, from whichever service. */
export interface JourneyEntry {
  /** When it was published. */
  readonly at: string;
  readonly type: string;
  /** Undefined for what is no message: a deadline that passed. */
  readonly topic: string | undefined;
  readonly partition: number;
  /** Undefined when the log no longer holds it, or it was not found within bounds. */
  readonly offset: number | undefined;
  readonly id: string;
}

export interface Journeys {
  /** Every message of an order's life in the order of their times, with their places in the logs. */
  of(order: Order): Promise<readonly JourneyEntry[]>;
}

/** The topics in which services speak of an order by its id. */
const spoken: readonly Topic[] = [topics.orders, topics.stock, topics.payments, topics.shipments];
/** Moments of an order's life that are no further apart than this are looked up together, in milliseconds. */
const togetherMs = 5_000;
/** What others say of a moment comes at most so much later, and clocks differ by less than this, in milliseconds. */
const marginMs = 1_000;
/** How many messages of a partition are looked through for each stretch of an order's life. */
const lookMax = 2_048;
const pageLimits = { messages: 256, bytes: 1_048_576 };
/** How long a log may take to say what it holds of an order, in milliseconds. */
const heardWithinMs = 3_000;
const cachedMax = 1_000;
/** What another service has to say of a settled order it has said by then, in milliseconds. */
const quietMs = 10_000;

/**
 * Journeys of orders. The orders service keeps what it consumed with offsets, and what it sent without: those, and what
 * only others consumed, are found on the logs at the times that the order knows. Journeys of orders that are over are
 * kept, so that asking again costs nothing.
 */
export function openJourneys(engine: Engine): Journeys {
  const cache = new Map<string, { readonly entries: number; readonly journey: readonly JourneyEntry[] }>();

  async function read(order: Order): Promise<{ readonly made: readonly JourneyEntry[]; readonly isWhole: boolean }> {
    const known = journey(order.history);
    const found = new Map<string, StoredMessage>();
    const stretches = stretchesOf(known.map(({ atMs }) => atMs));
    const { said, isWhole } = await heard(engine, order.orderId, stretches);
    for (const message of said) found.set(message.id, message);
    const entries = known.map(({ id, atMs, ...entry }) => {
      const offset = entry.offset ?? found.get(id)?.offset;
      found.delete(id);
      return { atMs, entry: { type: entry.type, topic: entry.topic, partition: entry.partition, offset, id } };
    });
    for (const { id, atMs, type, topic, partition, offset } of found.values()) {
      entries.push({ atMs, entry: { type, topic, partition, offset, id } });
    }
    entries.sort((a, b) => a.atMs - b.atMs);
    const made = entries.map(({ atMs, entry }) => ({ at: new Date(atMs).toISOString(), ...entry }));
    return { made, isWhole };
  }

  function keep(order: Order, made: readonly JourneyEntry[]): void {
    cache.set(order.orderId, { entries: order.history.length, journey: made });
    if (cache.size <= cachedMax) return;
    for (const oldest of cache.keys()) {
      cache.delete(oldest);
      return;
    }
  }

  return {
    async of(order) {
      const cached = cache.get(order.orderId);
      if (cached?.entries === order.history.length) return cached.journey;
      const { made, isWhole } = await read(order);
      const lastMs = order.history.at(-1)?.[4] ?? Infinity;
      if (isWhole && engine.store.nowMs() - lastMs > quietMs) keep(order, made);
      return made;
    },
  };
}

/**
 * What the topics say of an order. A log that cannot be read now says nothing: the order is shown all the same, with those
 * messages that it knows itself.
 */
async function heard(
  engine: Engine,
  orderId: string,
  stretches: readonly Stretch[],
): Promise<{ readonly said: readonly StoredMessage[]; readonly isWhole: boolean }> {
  const late = new AbortController();
  const limit = pause(heardWithinMs, undefined, { signal: late.signal }).catch(() => undefined);
  const asked = spoken.map((topic) => saidOf(engine, topic, orderId, stretches).catch(() => undefined));
  const answers = await Promise.all(asked.map((one) => Promise.race([one, limit])));
  late.abort();
  return { said: answers.flatMap((said) => said ?? []), isWhole: answers.every((said) => said !== undefined) };
}

interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The stretches of time in which something happened. */
function stretchesOf(moments: readonly number[]): readonly Stretch[] {
  const stretches: { fromMs: number; toMs: number }[] = [];
  for (const atMs of [...moments].sort((a, b) => a - b)) {
    const last = stretches.at(-1);
    if (last !== undefined && atMs - last.toMs <= togetherMs) last.toMs = atMs;
    else stretches.push({ fromMs: atMs, toMs: atMs });
  }
  return stretches;
}

/** What a topic says of an order in these stretches, which rise. */
async function saidOf(
  engine: Engine,
  topic: Topic,
  orderId: string,
  stretches: readonly Stretch[],
): Promise<readonly StoredMessage[]> {
  const transport = engine.durable.transportOf(topic.name);
  const partition = partitionOf(orderId, partitions);
  const said: StoredMessage[] = [];
  let nextOffset = 0;
  for (const { fromMs, toMs } of stretches) {
    const bounds = (await transport.bounds(topic.name, fromMs - marginMs))[partition]!;
    const from = Math.max(nextOffset, bounds.firstOffset, bounds.offsetAt ?? 0);
    if (from >= bounds.nextOffset) continue;
    const position = { topic: topic.name, partition, logId: bounds.logId, nextOffset: from };
    nextOffset = from;
    for await (const message of messagesFrom(transport, position, bounds, toMs + marginMs)) {
      nextOffset = message.offset + 1;
      if (message.subject === orderId) said.push(message);
    }
  }
  return said;
}

/** The messages of a partition from a position on, up to a time, to the end, or to a bound. */
async function* messagesFrom(
  transport: Transport,
  from: Position,
  bounds: PartitionBounds,
  untilMs: number,
): AsyncGenerator<StoredMessage> {
  let looked = 0;
  for await (const messages of pagesTo(transport, [from], [bounds], pageLimits)) {
    yield* messages;
    looked += messages.length;
    if (looked >= lookMax || messages.at(-1)!.atMs > untilMs) return;
  }
}
