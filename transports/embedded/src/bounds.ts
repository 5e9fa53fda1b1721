import type { PartitionBounds } from "@waybill/messaging";
import { silentAt } from "./cursor.ts";
import type { FileLog, TopicLog } from "@waybill/store-sqlite";

/** Every partition's bounds. The file counts bytes by topic; a partition is given its equal part. */
export function boundsOf(log: FileLog, topic: TopicLog, durable: boolean, atMs: number | undefined): PartitionBounds[] {
  const ends = durable ? topic.durableEnds : topic.ends;
  const bounds = ends.map((end, partition) => ({
    topic: topic.spec.name,
    partition,
    logId: topic.logId,
    firstOffset: topic.firstOffset,
    nextOffset: Math.max(end, silentAt(log.end(topic, durable)), topic.firstOffset),
    bytes: Math.ceil(topic.bytes / topic.spec.partitions),
  }));
  if (atMs === undefined) return bounds;
  const offsets = offsetsAt(log, topic, atMs);
  return bounds.map((one) => ({ ...one, offsetAt: offsets.get(one.partition) ?? one.nextOffset }));
}

/** Per partition the first message published at or after a time, as far as there is one. */
function offsetsAt(log: FileLog, topic: TopicLog, atMs: number): Map<number, number> {
  const found = new Map<number, number>();
  let offset = Math.max(topic.firstOffset, log.firstPublishedAfter(topic, atMs));
  while (offset < topic.nextOffset) {
    const page = log.page(topic, offset);
    if (page === undefined) break;
    for (const message of page.messages) {
      if (message.offset >= offset && message.atMs >= atMs && !found.has(message.partition)) {
        found.set(message.partition, message.offset);
      }
    }
    offset = page.first + page.messages.length;
    // What is left to be found lies in partitions that go on from here.
    if (topic.ends.every((end, partition) => found.has(partition) || end <= offset)) break;
  }
  return found;
}
