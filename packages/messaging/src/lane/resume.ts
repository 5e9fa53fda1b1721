import { codeOf, WaybillError } from "../errors.ts";
import type { Position } from "../message.ts";
import type { LaneRow, PositionRow, Recovered, SentRow } from "../store.ts";
import type { PartitionBounds, Transport } from "../transport.ts";
import { nameOf } from "./sender.ts";
import { saidAs } from "./work.ts";

/** What a position and its log say of each other. */
export type Resume =
  | { readonly kind: "as-is" }
  /** In doubt: back to the first offset kept. Marks drop what was seen, the chain tells what is missing. */
  | { readonly kind: "rewind"; readonly why: string }
  | { readonly kind: "retention-passed" };

/**
 * Where to go on reading. Pure; `found` is the id of the message at the position's last offset, undefined when the
 * log has none there.
 */
export function resumeAt(position: PositionRow, bounds: PartitionBounds, found: string | undefined): Resume {
  if (position.logId === "") return { kind: "rewind", why: "it was never read" };
  if (position.logId !== bounds.logId) return { kind: "rewind", why: "the log is another one" };
  if (position.nextOffset < bounds.firstOffset) return { kind: "retention-passed" };
  if (position.nextOffset > bounds.nextOffset) return { kind: "rewind", why: "the log ends before the position" };
  const { lastOffset } = position;
  const kept = lastOffset !== undefined && lastOffset >= bounds.firstOffset;
  if (kept && found !== position.lastId)
    return { kind: "rewind", why: "another message stands where the last one was read" };
  return { kind: "as-is" };
}

interface Compared {
  readonly position: PositionRow;
  readonly passed?: WaybillError;
  /** Why the log is read again from its start. */
  readonly rewound?: string;
}

/** A lane's positions, one for each partition that it owns of each topic, compared with their logs; all at once. */
export async function comparePositions(
  topics: ReadonlyMap<string, Transport>,
  partitions: readonly number[],
  stored: readonly PositionRow[],
): Promise<{ positions: PositionRow[]; passed: Map<string, WaybillError>; rewound: string[] }> {
  const byName = new Map(stored.map((row) => [nameOf(row), row]));
  const compared = await Promise.all(
    Array.from(topics, async ([topic, transport]) => {
      const bounds = await boundsIfThere(transport, topic);
      const rows = partitions.map((partition) => byName.get(`${topic}/${partition}`) ?? unread(topic, partition));
      if (bounds === undefined) return rows.map((position): Compared => ({ position }));
      return Promise.all(rows.map((row) => compare(transport, row, bounds)));
    }),
  );
  const passed = new Map<string, WaybillError>();
  for (const one of compared.flat()) if (one.passed !== undefined) passed.set(one.position.topic, one.passed);
  return {
    positions: compared.flat().map(({ position }) => position),
    passed,
    rewound: compared.flat().flatMap(({ rewound }) => rewound ?? []),
  };
}

async function compare(transport: Transport, row: PositionRow, bounds: readonly PartitionBounds[]): Promise<Compared> {
  const { topic, partition } = row;
  const at = bounds[partition];
  if (at === undefined) {
    throw new WaybillError(
      "TOPIC_MISMATCH",
      `Topic "${topic}" has ${bounds.length} partitions; partition ${partition} was expected.`,
    );
  }
  const resume = resumeAt(row, at, await lastIdAt(transport, row, at));
  if (resume.kind === "retention-passed") return { position: row, passed: retentionPassed(row, at) };
  if (resume.kind === "as-is") return { position: row };
  const said = row.logId === "" ? {} : { rewound: `${topic}/${partition}: ${resume.why}` };
  return { position: rewind(row, at), ...said };
}

/** Undefined while the broker is away: its reader compares the positions again as soon as it is back. */
async function boundsIfThere(transport: Transport, topic: string): Promise<readonly PartitionBounds[] | undefined> {
  try {
    return await transport.bounds(topic);
  } catch (error) {
    if (codeOf(error) === "TRANSPORT_UNAVAILABLE") return undefined;
    throw error;
  }
}

function unread(topic: string, partition: number): PositionRow {
  return { topic, partition, logId: "", nextOffset: 0, marks: {} };
}

function rewind(row: PositionRow, bounds: PartitionBounds): PositionRow {
  const { topic, partition, marks } = row;
  return { topic, partition, logId: bounds.logId, nextOffset: bounds.firstOffset, marks };
}

async function lastIdAt(transport: Transport, row: PositionRow, bounds: PartitionBounds): Promise<string | undefined> {
  const { lastOffset } = row;
  if (lastOffset === undefined || row.logId !== bounds.logId) return undefined;
  if (lastOffset < bounds.firstOffset || lastOffset >= bounds.nextOffset) return undefined;
  return (await transport.read(row.topic, row.partition, lastOffset))?.id;
}

function retentionPassed(row: PositionRow, bounds: PartitionBounds): WaybillError {
  const { topic, partition, nextOffset } = row;
  return new WaybillError(
    "RETENTION_PASSED",
    `${topic}/${partition}: the next message to read is at ${nextOffset}, but the log is kept from ${bounds.firstOffset} on. ` +
      `Those between were deleted unread; somebody must decide to go on without them.`,
    { details: { topic, partition, nextOffset, firstOffset: bounds.firstOffset } },
  );
}

/** Per destination the last `n` that its lane has stored for it, sent or not. */
export function lastStored({ sent, outbox }: Recovered): Map<string, number> {
  const last = new Map<string, number>();
  for (const row of sent) last.set(nameOf(row), row.n);
  for (const row of outbox) last.set(nameOf(row), Math.max(row.lastN, last.get(nameOf(row)) ?? 0));
  return last;
}

/** What a lane's own messages on the logs say of its database. */
export interface Tail {
  /** Per destination the last `n` of ours that the log holds. */
  readonly lastN: ReadonlyMap<string, SentRow>;
  /** The log holds messages of this lane that its database does not know: the database is older than the log. */
  readonly rewound: boolean;
  /** Those messages, as `saidAs` names them. */
  readonly said: ReadonlySet<string>;
}

/** How many messages are looked at, at most, for a first one of ours where none was ever confirmed. */
const unconfirmedMax = 5_000;

/**
 * Reads the logs behind what was confirmed, for messages of this lane's source. Rejects while one of their brokers is
 * away: numbers that are on a log must not be given a second time. Where nothing was confirmed yet it looks
 * at what was published since the database's last commit, as far as that is little enough to be looked at.
 */
export async function readTail(
  row: LaneRow,
  recovered: Recovered,
  topics: readonly string[],
  transportOf: (topic: string) => Transport,
  signal: AbortSignal,
): Promise<Tail> {
  const confirmed = new Map(recovered.sent.map((sent) => [nameOf(sent), sent]));
  const found = { lastN: new Map<string, SentRow>(), said: new Set<string>() };
  const tail = { row, confirmed, ...found, proven: new Set<string>(), broken: new Set<string>() };
  const sentTo = Map.groupBy(new Set(recovered.sent.map((sent) => sent.topic)), transportOf);
  await Promise.all(
    Array.from(sentTo, async ([transport, of]) => {
      const bounds = (await Promise.all(of.map((topic) => transport.bounds(topic)))).flat();
      const starts = bounds.flatMap((one) => {
        const sent = confirmed.get(nameOf(one));
        if (sent === undefined) return [];
        if (sent.logId === one.logId && sent.lastOffset < one.firstOffset) tail.proven.add(nameOf(one));
        return [{ bounds: one, from: behind(sent, one) }];
      });
      await readOwn(transport, starts, Infinity, tail, signal);
    }),
  );
  let left = unconfirmedMax;
  for (const topic of topics) {
    const transport = transportOf(topic);
    try {
      const bounds = await transport.bounds(topic, row.timeMs);
      const unconfirmed = bounds.filter((one) => !confirmed.has(nameOf(one)));
      const starts = unconfirmed.map((one) => ({ bounds: one, from: one.offsetAt ?? one.nextOffset }));
      left -= await readOwn(transport, starts, left, tail, signal);
    } catch (error) {
      // A lane is not kept from work by a broker that, as far as anybody knows, it never wrote to.
      if (codeOf(error) !== "TRANSPORT_UNAVAILABLE") throw error;
    }
  }
  const { lastN, said } = tail;
  // Where what was confirmed is not, more may be missing in front of what is: all that the outbox holds is said again.
  for (const name of confirmed.keys()) if (!tail.proven.has(name)) lastN.delete(name);
  for (const name of tail.broken) lastN.delete(name);
  return { lastN, rewound: said.size > 0, said };
}

/** From what was confirmed on, itself included, so that a log which has lost it is noticed by its absence. */
function behind(sent: SentRow, bounds: PartitionBounds): number {
  return sent.logId === bounds.logId ? sent.lastOffset : bounds.firstOffset;
}

interface Looking {
  readonly row: LaneRow;
  readonly confirmed: ReadonlyMap<string, SentRow>;
  readonly lastN: Map<string, SentRow>;
  readonly said: Set<string>;
  /** Destinations whose confirmed message is still where it was, or old enough to be deleted. */
  readonly proven: Set<string>;
  /** Destinations where one of ours is missing between two others. */
  readonly broken: Set<string>;
}

interface Start {
  readonly bounds: PartitionBounds;
  readonly from: number;
}

/** Notes this lane's messages from these offsets on to the ends; returns how many messages it looked at. */
async function readOwn(
  transport: Transport,
  starts: readonly Start[],
  limit: number,
  { row, confirmed, lastN, said, proven, broken }: Looking,
  signal: AbortSignal,
): Promise<number> {
  const left = new Map<string, { readonly logId: string; readonly nextOffset: number }>();
  const positions: Position[] = [];
  for (const { bounds, from } of starts) {
    const { topic, partition, logId, firstOffset, nextOffset } = bounds;
    if (Math.max(from, firstOffset) >= nextOffset) continue;
    left.set(nameOf(bounds), { logId, nextOffset });
    positions.push({ topic, partition, logId, nextOffset: Math.max(from, firstOffset) });
  }
  if (left.size === 0 || limit <= 0) return 0;
  await using reader = transport.reader(positions);
  let looked = 0;
  while (left.size > 0 && looked < limit && !signal.aborted) {
    const { messages, next, atEnd } = await reader.fetch({ messages: 1_000, bytes: 4_194_304, waitMs: 0 }, signal);
    for (const message of messages) {
      const { stamp, offset, topic, partition } = message;
      const name = nameOf(message);
      const log = left.get(name);
      const sent = confirmed.get(name);
      if (sent?.lastOffset === offset && sent.logId === log?.logId && sent.n === stamp?.n) proven.add(name);
      if (stamp?.source !== row.source || log === undefined) continue;
      if (stamp.n >= row.nextN) said.add(saidAs(message));
      const last = lastN.get(name);
      if (last !== undefined && stamp.n <= last.n) continue;
      if (last !== undefined && stamp.prev > last.n) broken.add(name);
      lastN.set(name, { topic, partition, n: stamp.n, logId: log.logId, lastOffset: offset });
    }
    looked += messages.length;
    for (const at of next) if (at.nextOffset >= (left.get(nameOf(at))?.nextOffset ?? Infinity)) left.delete(nameOf(at));
    for (const at of atEnd) left.delete(nameOf(at));
  }
  return looked;
}
