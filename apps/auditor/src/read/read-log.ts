import { bodyText, type PartitionBounds, type Position, type StoredMessage, type Transport } from "@waybill/messaging";
import type { LogMessage } from "../books.ts";

const limits = { messages: 4_096, bytes: 8_388_608, waitMs: 250 };
/** So often nothing may come although there is more. */
const emptyMax = 40;

/** Reads a topic on its broker from the first message kept up to these bounds, each partition in its order. */
export async function readLogTo(
  transport: Transport,
  bounds: readonly PartitionBounds[],
  visit: (message: LogMessage) => void,
): Promise<void> {
  const ends = new Map(bounds.map(({ partition, nextOffset }) => [partition, nextOffset]));
  const open = new Set(bounds.filter(({ firstOffset, nextOffset }) => firstOffset < nextOffset).map(partitionOf));
  if (open.size === 0) return;
  await using reader = transport.reader(bounds.filter(({ partition }) => open.has(partition)).map(beginningOf));
  const { signal } = new AbortController();
  for (let empty = 0; open.size > 0;) {
    const { messages, next, atEnd } = await reader.fetch(limits, signal);
    for (const message of messages) if (message.offset < ends.get(message.partition)!) visit(asLogMessage(message));
    for (const { partition, nextOffset } of next) if (nextOffset >= ends.get(partition)!) open.delete(partition);
    // The last offsets of a partition need not hold messages.
    for (const { partition } of atEnd) open.delete(partition);
    empty = messages.length === 0 ? empty + 1 : 0;
    if (empty > emptyMax) throw new Error(`the broker gives no more of ${bounds[0]!.topic}, and there should be more`);
  }
}

function partitionOf({ partition }: PartitionBounds): number {
  return partition;
}

function beginningOf({ topic, partition, logId, firstOffset }: PartitionBounds): Position {
  return { topic, partition, logId, nextOffset: firstOffset };
}

/** When the first message of each partition that is kept was published, at the latest; undefined for an empty topic. */
export async function firstKeptMs(
  transport: Transport,
  bounds: readonly PartitionBounds[],
): Promise<number | undefined> {
  let latest: number | undefined;
  for (const bound of bounds) {
    if (bound.firstOffset >= bound.nextOffset) continue;
    await using reader = transport.reader([beginningOf(bound)]);
    const { messages } = await reader.fetch({ ...limits, messages: 1 }, new AbortController().signal);
    const atMs = messages[0]?.atMs;
    if (atMs !== undefined) latest = Math.max(latest ?? atMs, atMs);
  }
  return latest;
}

/** Where a lane's messages to a destination are, and how far they are confirmed. */
interface Destination {
  readonly topic: string;
  readonly partition: number;
  readonly source: string;
  readonly confirmed: number;
  readonly lastOffset: number | undefined;
}

/** The last number of a source that a partition's log holds; reads only behind what is confirmed. */
export async function lastHeld(transport: Transport, of: Destination): Promise<number> {
  const bounds = (await transport.bounds(of.topic)).filter(({ partition }) => partition === of.partition);
  const from = bounds.map((bound) => ({
    ...bound,
    firstOffset: Math.max(bound.firstOffset, of.lastOffset === undefined ? 0 : of.lastOffset + 1),
  }));
  let last = of.confirmed;
  await readLogTo(transport, from, ({ source, n }) => {
    if (source === of.source) last = Math.max(last, n);
  });
  return last;
}

function asLogMessage(message: StoredMessage): LogMessage {
  const { topic, partition, offset, id, type, subject, key, atMs, stamp, malformed, body } = message;
  return {
    topic,
    partition,
    offset,
    id,
    type,
    subject,
    subjectAt: { text: subject, from: 0, to: subject.length },
    key,
    atMs,
    source: stamp?.source,
    n: stamp?.n ?? 0,
    prev: stamp?.prev ?? 0,
    malformed: malformed !== undefined,
    body: () => bodyText(body),
  };
}
