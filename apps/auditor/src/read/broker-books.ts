import { setTimeout as pause } from "node:timers/promises";
import type { PartitionBounds, Transport } from "@waybill/messaging";
import type { Books, Confirmed, IdRange, LaneFacts, ReaderPosition, StateText, TopicFacts, Waiting } from "../books.ts";
import { firstKeptMs, lastHeld, readLogTo } from "./read-log.ts";
import { Snapshot, type Database } from "./snapshot.ts";

export interface BrokerBooks {
  readonly database: Database;
  /** The names of the shop's topics. */
  readonly topics: readonly string[];
  readonly transportOf: (topic: string) => Transport;
  /** How long messages may wait to be appended, in milliseconds. Default 30,000. */
  readonly sentWithinMs?: number;
}

/** How far one lane has said something to one destination, and how much of it a broker has confirmed. */
interface Said extends Confirmed {
  /** `service/lane`. */
  readonly by: string;
  readonly confirmed: number;
  readonly lastOffset: number | undefined;
}

type SaidColumns = readonly [string, number, string, number, string, string | null, string | null];

const lookEveryMs = 100;

/**
 * The books of a shop on PostgreSQL and brokers. The states are those of one moment. The logs are read after it, once they hold
 * all that had been said by then; what was said since is left out by its numbers. Throws when something cannot be reached, or
 * messages of that moment are not appended in time.
 */
export async function openBrokerBooks(options: BrokerBooks): Promise<Books> {
  const { database, transportOf, topics: names, sentWithinMs = 30_000 } = options;
  const schema = schemaOf(database);
  await using open = new AsyncDisposableStack();
  const snapshot = open.use(await Snapshot.open(database));
  const lanes = (await snapshot.all<LaneColumns>(`select ${laneColumns} from ${schema}.lane`)).map(laneOf);
  const said = await saidBy(snapshot, schema, lanes);
  await untilSaid(said, transportOf, sentWithinMs);
  const bounds = new Map<string, readonly PartitionBounds[]>();
  const topics: TopicFacts[] = [];
  for (const name of names) {
    const of = await transportOf(name).bounds(name);
    bounds.set(name, of);
    topics.push(await topicOf(name, of, transportOf(name)));
  }
  const positions = await snapshot.all<PositionColumns>(`select ${positionColumns} from ${schema}.position`);
  const moved = open.move();
  const waiting = (columns: string) => snapshot.pages(`select service, key, ${columns}`, [], waitingOf);
  return {
    moment: "",
    topics,
    lanes,
    positions: positions.map(positionOf),
    confirmed: said,
    async count(service, kind) {
      const sql = `select count(*) from ${schema}.state where service = $1 and kind = $2`;
      return Number((await snapshot.all<[string]>(sql, [service, kind]))[0]![0]);
    },
    async idAt(service, kind, at) {
      const sql = `select id from ${schema}.state where service = $1 and kind = $2 order by id limit 1 offset $3`;
      return (await snapshot.all<[string]>(sql, [service, kind, at]))[0]?.[0];
    },
    states(service, kind, range) {
      const { sql, values } = statesOf(schema, service, kind, range);
      return snapshot.pages(sql, values, stateOf);
    },
    ids(service, kind) {
      const sql = `select id from ${schema}.state where service = $1 and kind = $2 order by id`;
      return snapshot.pages(sql, [service, kind], idOf);
    },
    timers: () => waiting(`name, due_ms from ${schema}.timer`),
    effects: () => waiting(`name, due_ms from ${schema}.effect`),
    parked: () => waiting(`fingerprint, due_ms from ${schema}.parked_key`),
    async sharedEffectIds() {
      const sql = `select id, count(*) from ${schema}.effect group by id having count(*) > 1`;
      return (await snapshot.all<[string, string]>(sql)).map(([id, count]) => ({ id, count: Number(count) }));
    },
    messages: (topic, visit) => readLogTo(transportOf(topic.name), bounds.get(topic.name)!, visit),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

function schemaOf({ schema = "waybill" }: Database): string {
  if (/^[a-z_][a-z0-9_]{0,39}$/.test(schema)) return schema;
  throw new Error(`"${schema}" is no schema of a shop.`);
}

/** All that lanes had said by the moment: what brokers have confirmed, and what waits in the outbox. */
async function saidBy(snapshot: Snapshot, schema: string, lanes: readonly LaneFacts[]): Promise<readonly Said[]> {
  const sql = `select service, lane, topic, partition, max(n), max(confirmed), max(last_offset) from (
      select service, lane, topic, partition, n, n as confirmed, last_offset from ${schema}.sent
      union all select service, lane, topic, partition, last_n, null, null from ${schema}.outbox) as said
    group by service, lane, topic, partition`;
  const sourceOf = new Map(lanes.map(({ service, lane, source }) => [`${service}/${lane}`, source]));
  const rows = await snapshot.all<SaidColumns>(sql);
  return rows.map(([service, lane, topic, partition, n, confirmed, lastOffset]) => ({
    by: `${service}/${lane}`,
    source: sourceOf.get(`${service}/${lane}`) ?? "",
    topic,
    partition,
    n: Number(n),
    confirmed: Number(confirmed ?? 0),
    lastOffset: lastOffset === null ? undefined : Number(lastOffset),
  }));
}

/** Waits until the logs hold it. A confirmation is stored late, or never if the shop was stopped, so that the logs are asked. */
async function untilSaid(
  said: readonly Said[],
  transportOf: BrokerBooks["transportOf"],
  withinMs: number,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  for (const one of said) {
    if (one.n <= one.confirmed) continue;
    for (;;) {
      const held = await lastHeld(transportOf(one.topic), one);
      if (held >= one.n) break;
      if (performance.now() > endMs) {
        const where = `${one.by} to ${one.topic}/${one.partition}`;
        throw new Error(`Messages of ${where} wait in the outbox: ${one.n} is said, and the log holds ${held}.`);
      }
      await pause(lookEveryMs);
    }
  }
}

async function topicOf(name: string, bounds: readonly PartitionBounds[], transport: Transport): Promise<TopicFacts> {
  // An untouched log counts from 0, or from 1.
  const isCut = bounds.some(({ firstOffset, nextOffset }) => firstOffset > 1 && nextOffset > 1);
  return {
    name,
    partitions: bounds.length,
    isExact: false,
    isCut,
    cutMs: isCut ? ((await firstKeptMs(transport, bounds)) ?? Infinity) : undefined,
    firstOffsets: bounds.map(({ firstOffset }) => firstOffset),
    nextOffsets: bounds.map(({ nextOffset }) => nextOffset),
  };
}

const laneColumns = "service, lane, source, next_n, time_ms, stopped";
type LaneColumns = readonly [string, number, string, string, number, string | null];
const laneOf = ([service, lane, source, nextN, timeMs, stopped]: LaneColumns): LaneFacts => ({
  service,
  lane,
  source,
  nextN: Number(nextN),
  timeMs,
  stopped: stopped ?? undefined,
});

const positionColumns = "service, topic, partition, next_offset, last_offset, last_id, marks";
type PositionColumns = readonly [string, string, number, string, string | null, string | null, string];
const positionOf = ([service, topic, partition, next, last, lastId, marks]: PositionColumns): ReaderPosition => ({
  service,
  topic,
  partition,
  nextOffset: Number(next),
  lastOffset: last === null ? undefined : Number(last),
  lastId: lastId ?? undefined,
  marks: JSON.parse(marks) as Record<string, number>,
});

function statesOf(schema: string, service: string, kind: string, { from = "", before }: IdRange = {}) {
  const sql = `select id, body from ${schema}.state where service = $1 and kind = $2 and id >= $3`;
  return before === undefined
    ? { sql: `${sql} order by id`, values: [service, kind, from] }
    : { sql: `${sql} and id < $4 order by id`, values: [service, kind, from, before] };
}

const stateOf = ([id, body]: readonly [string, string]): StateText => ({ id, body });

const idOf = ([id]: readonly [string]): string => id;

const waitingOf = ([service, key, name, dueMs]: readonly [string, string, string, number | null]): Waiting => ({
  service,
  key,
  name,
  dueMs,
});
