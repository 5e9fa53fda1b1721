import { nameOf } from "../lane/sender.ts";
import type { Position, StoredMessage } from "../message.ts";
import type { SentRow } from "../store.ts";
import type { PartitionBounds, Transport } from "../transport.ts";

/** What a copy holds behind what its mirror's progress says, by partition. */
export interface Copied {
  /** Per source the last `n`. */
  readonly marks: ReadonlyMap<number, ReadonlyMap<string, number>>;
  /** Messages without a stamp, by `copyKey`. */
  readonly unstamped: ReadonlySet<string>;
  /** Partitions whose copy lacks what the progress says it has: what they hold was looked at from its start. */
  readonly doubtful: ReadonlySet<number>;
}

export function copyKey({ partition, producer, id }: StoredMessage): string {
  return `${partition}\n${producer}\n${id}`;
}

/** Reads the copy behind what was confirmed: an append may have been stored and its mirror may not have lived to note it. */
export async function copiedSoFar(
  to: Transport,
  topic: string,
  sent: readonly SentRow[],
  signal: AbortSignal,
): Promise<Copied> {
  const confirmed = new Map(sent.map((row) => [row.partition, row]));
  const marks = new Map<number, Map<string, number>>();
  const unstamped = new Set<string>();
  const doubtful = new Set<number>();
  const left = new Map<string, number>();
  const starts: Position[] = [];
  for (const bounds of await to.bounds(topic)) {
    const row = confirmed.get(bounds.partition);
    if (row !== undefined && lacks(bounds, row)) doubtful.add(bounds.partition);
    const behind = row === undefined || doubtful.has(bounds.partition) ? 0 : row.lastOffset + 1;
    const { partition, logId, nextOffset } = bounds;
    const from = Math.max(behind, bounds.firstOffset);
    if (from >= nextOffset) continue;
    left.set(nameOf(bounds), nextOffset);
    starts.push({ topic, partition, logId, nextOffset: from });
  }
  if (starts.length === 0) return { marks, unstamped, doubtful };
  await using reader = to.reader(starts);
  while (left.size > 0 && !signal.aborted) {
    const { messages, next, atEnd } = await reader.fetch({ messages: 2_000, bytes: 4_194_304, waitMs: 0 }, signal);
    for (const message of messages) {
      if (message.stamp === undefined) unstamped.add(copyKey(message));
      else markOf(marks, message.partition).set(message.stamp.source, message.stamp.n);
    }
    for (const at of next) if (at.nextOffset >= (left.get(nameOf(at)) ?? Infinity)) left.delete(nameOf(at));
    for (const at of atEnd) left.delete(nameOf(at));
  }
  return { marks, unstamped, doubtful };
}

function lacks({ logId, nextOffset }: PartitionBounds, row: SentRow): boolean {
  return logId !== row.logId || nextOffset <= row.lastOffset;
}

function markOf(marks: Map<number, Map<string, number>>, partition: number): Map<string, number> {
  let found = marks.get(partition);
  if (found === undefined) marks.set(partition, (found = new Map()));
  return found;
}
