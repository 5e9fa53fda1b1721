import { WaybillError } from "../errors.ts";
import type { LaneRow, PositionRow, Recovered, SentRow } from "../store.ts";
import type { PartitionBounds, Transport } from "../transport.ts";
import { nameOf } from "./sender.ts";

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

/** A lane's positions, one for each partition that it owns of each topic, compared with their logs. */
export async function comparePositions(
  topics: ReadonlyMap<string, Transport>,
  partitions: readonly number[],
  stored: readonly PositionRow[],
): Promise<{ positions: PositionRow[]; passed: Map<string, WaybillError>; rewound: string[] }> {
  const byName = new Map(stored.map((row) => [nameOf(row), row]));
  const positions: PositionRow[] = [];
  const passed = new Map<string, WaybillError>();
  const rewound: string[] = [];
  for (const [topic, transport] of topics) {
    const bounds = await transport.bounds(topic);
    for (const partition of partitions) {
      const at = bounds[partition];
      if (at === undefined) {
        throw new WaybillError(
          "TOPIC_MISMATCH",
          `Topic "${topic}" has ${bounds.length} partitions; partition ${partition} was expected.`,
        );
      }
      const row = byName.get(`${topic}/${partition}`) ?? unread(topic, partition);
      const resume = resumeAt(row, at, await lastIdAt(transport, row, at));
      if (resume.kind === "retention-passed") passed.set(topic, retentionPassed(row, at));
      if (resume.kind === "rewind" && row.logId !== "") rewound.push(`${topic}/${partition}: ${resume.why}`);
      positions.push(resume.kind === "rewind" ? rewind(row, at) : row);
    }
  }
  return { positions, passed, rewound };
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

/** What a lane's own messages on the logs say of its database. */
export interface Tail {
  /** Per destination the last `n` of ours that the log holds. */
  readonly lastN: ReadonlyMap<string, SentRow>;
  /** The log holds messages of this lane that its database does not know: the database is older than the log. */
  readonly rewound: boolean;
  /** Ids of those messages. */
  readonly said: ReadonlySet<string>;
}

/** Reads the logs behind what was confirmed, for messages of this lane's source. */
export async function readTail(
  row: LaneRow,
  recovered: Recovered,
  transportOf: (topic: string) => Transport,
  signal: AbortSignal,
): Promise<Tail> {
  const lastN = new Map<string, SentRow>();
  const said = new Set<string>();
  for (const sent of recovered.sent) {
    const { topic, partition } = sent;
    const transport = transportOf(topic);
    const bounds = (await transport.bounds(topic))[partition];
    if (bounds === undefined) continue;
    // From what was confirmed on, itself included, so that a log which has lost it is noticed by its absence.
    const known = sent.logId === bounds.logId ? sent.lastOffset : bounds.firstOffset;
    const from = Math.max(known, bounds.firstOffset);
    await using reader = transport.reader([{ topic, partition, logId: bounds.logId, nextOffset: from }]);
    for (let at = from; at < bounds.nextOffset && !signal.aborted;) {
      const fetched = await reader.fetch({ messages: 1_000, bytes: 4_194_304, waitMs: 0 }, signal);
      for (const message of fetched.messages) {
        const { stamp, offset } = message;
        if (stamp?.source !== row.source) continue;
        lastN.set(nameOf(sent), { topic, partition, n: stamp.n, logId: bounds.logId, lastOffset: offset });
        if (stamp.n >= row.nextN) said.add(message.id);
      }
      const next = fetched.next.at(-1)?.nextOffset ?? bounds.nextOffset;
      at = Math.max(at + 1, next);
    }
  }
  return { lastN, rewound: said.size > 0, said };
}
