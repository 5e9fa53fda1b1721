import type { PartitionBounds } from "@waybill/messaging";
import type { Link } from "./link.ts";
import { messageOf, type StreamRecord } from "./record.ts";
import { scan } from "./scan.ts";
import { silentMark } from "./starts.ts";
import { topicOf } from "./stream-config.ts";
import type { Streams } from "./streams.ts";
import { partitionFilter } from "./subject.ts";

/**
 * Every partition's bounds, of one stream. The stream counts bytes as a whole; a partition is given its equal part.
 * A partition that was silent for long ends where the stream does: its readers were told to go on there.
 */
export async function boundsOf(
  link: Link,
  streams: Streams,
  topic: string,
  atMs: number | undefined,
): Promise<PartitionBounds[]> {
  const info = await streams.info(topic);
  const { partitions, logId } = topicOf(info);
  const isEmpty = info.state.messages === 0;
  const numbers = Array.from({ length: partitions }, (_, partition) => partition);
  const lasts = isEmpty
    ? numbers.map(() => undefined)
    : await Promise.all(numbers.map((partition) => streams.last(topic, partition)));
  const first = isEmpty ? info.state.last_seq + 1 : Math.max(info.state.first_seq, 1);
  const end = Math.max(info.state.last_seq, ...lasts.map((record) => record?.sequence ?? 0));
  const mark = silentMark(first, end);
  const bounds = lasts.map((record, partition) => {
    const nextOffset = record === undefined ? first : record.sequence + 1 < mark ? end + 1 : record.sequence + 1;
    return { topic, partition, logId, firstOffset: first, nextOffset, bytes: Math.ceil(info.state.bytes / partitions) };
  });
  if (atMs === undefined) return bounds;
  const offsets = await offsetsAt(link, streams, topic, lasts, end, atMs);
  return bounds.map((one) => ({ ...one, offsetAt: offsets.get(one.partition) ?? one.nextOffset }));
}

/** How far a producer's clock may be ahead of the server's without being noticed. */
const aheadMs = 1_000;

/**
 * Per partition the first message published at or after a time. A stream is in order of storing, and what was published
 * then was stored later, but for clocks that differ: by a second, or by what the last messages show.
 */
async function offsetsAt(
  link: Link,
  streams: Streams,
  topic: string,
  lasts: readonly (StreamRecord | undefined)[],
  last: number,
  atMs: number,
): Promise<Map<number, number>> {
  const ahead = lasts.map((record) =>
    record === undefined ? 0 : (messageOf(topic, record)?.atMs ?? 0) - record.storedMs,
  );
  const fromMs = atMs - Math.max(0, ...ahead) - aheadMs;
  const open = new Set<number>();
  for (const [partition, record] of lasts.entries()) {
    if (record !== undefined && record.storedMs >= fromMs) open.add(partition);
  }
  const found = new Map<number, number>();
  if (open.size === 0) return found;
  const filters =
    open.size > filtersMax ? [`${topic}.>`] : [...open].map((partition) => partitionFilter(topic, partition));
  await scan(link, streams, { topic, filters, fromMs, last }, (message) => {
    if (message.atMs >= atMs && open.delete(message.partition)) found.set(message.partition, message.offset);
    return open.size === 0;
  });
  return found;
}

const filtersMax = 16;
