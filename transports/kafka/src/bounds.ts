import { describeLogDirsV4 } from "@platformatic/kafka";
import type { PartitionBounds, StoredMessage } from "@waybill/messaging";
import { partitionOf, type Cluster, type PartitionPlace, type TopicPlace } from "./cluster.ts";
import { nameOfError } from "./errors.ts";
import { fetchRequest, type FetchAnswer, type FetchedPart } from "./fetch.ts";
import { earliest, Electing, latest, offsetsAt, onLeaders, whileElecting } from "./offsets.ts";
import { Records } from "./records.ts";

/** Which offset of a partition is known to hold a message, so that it need not be looked for again. */
export type KnownMessages = Map<string, number>;

const lookBytes = 65_536;

/** Where a topic's partitions begin and end, in a request or two to each of its brokers. */
export async function boundsOf(
  cluster: Cluster,
  name: string,
  atMs: number | undefined,
  known: KnownMessages,
): Promise<PartitionBounds[]> {
  return await whileElecting(cluster, name, async (topic) => {
    const [first, next, at, bytes] = await Promise.all([
      offsetsAt(cluster, topic, earliest),
      offsetsAt(cluster, topic, latest),
      atMs === undefined ? undefined : offsetsAt(cluster, topic, Math.max(atMs, 0)),
      bytesOf(cluster, topic),
    ]);
    const empty = await emptyOf(cluster, topic, { first, next, known });
    return topic.partitions.map(({ partition }) => {
      const nextOffset = next.get(partition)!;
      const firstOffset = empty.has(partition) ? nextOffset : first.get(partition)!;
      const found = at?.get(partition) ?? -1;
      return {
        topic: name,
        partition,
        logId: topic.id,
        firstOffset,
        nextOffset,
        bytes: bytes.get(partition) ?? 0,
        ...(at === undefined ? {} : { offsetAt: found < 0 || firstOffset === nextOffset ? nextOffset : found }),
      };
    });
  });
}

/** The size of each partition on its leader; nothing where this client may not ask for it. */
async function bytesOf(cluster: Cluster, { name, partitions }: TopicPlace): Promise<ReadonlyMap<number, number>> {
  const bytes = new Map<number, number>();
  await onLeaders(cluster, partitions, async (line, of) => {
    const asked = [{ name, partitions: of.map(({ partition }) => partition) }];
    const answer = await line.call<describeLogDirsV4.DescribeLogDirsResponse>(
      (connection, done) => describeLogDirsV4.api(connection, asked, done),
      cluster.requestMs,
    );
    for (const { topics } of answer.results) {
      for (const { partitionIndex, partitionSize } of topics.flatMap((topic) => topic.partitions)) {
        bytes.set(partitionIndex, Number(partitionSize));
      }
    }
  });
  return bytes;
}

interface Ends {
  readonly first: ReadonlyMap<number, number>;
  readonly next: ReadonlyMap<number, number>;
  readonly known: KnownMessages;
}

/** The partitions that hold nothing, or nothing but transactions' marks and what transactions gave up. */
async function emptyOf(cluster: Cluster, topic: TopicPlace, { first, next, known }: Ends): Promise<Set<number>> {
  const empty = new Set<number>();
  const unsure = new Map<PartitionPlace, number>();
  for (const place of topic.partitions) {
    const { partition } = place;
    const from = first.get(partition)!;
    if (from === next.get(partition)) empty.add(partition);
    else if ((known.get(`${topic.id}/${partition}`) ?? -1) < from) unsure.set(place, from);
  }
  while (unsure.size > 0) {
    const answers = await fetchAt(cluster, topic, unsure, lookBytes * unsure.size);
    let moved = false;
    for (const [place, from] of unsure) {
      const { partition } = place;
      const records = recordsOf(topic, answers.get(partition), from);
      if (records?.hasMore() === true) known.set(`${topic.id}/${partition}`, records.offset);
      else if (records !== undefined && records.nextOffset < next.get(partition)!) {
        moved ||= records.nextOffset > from;
        unsure.set(place, records.nextOffset);
        continue;
      } else if (records !== undefined) empty.add(partition);
      unsure.delete(place);
      moved = true;
    }
    // What a transaction that is still open has written is not known to be anything yet.
    if (!moved) return empty;
  }
  return empty;
}

/** The message at exactly this offset. */
export async function messageAt(
  cluster: Cluster,
  name: string,
  partition: number,
  offset: number,
): Promise<StoredMessage | undefined> {
  return await whileElecting(cluster, name, async (topic) => {
    const place = partitionOf(topic, partition);
    const answers = await fetchAt(cluster, topic, new Map([[place, offset]]), lookBytes);
    const records = recordsOf(topic, answers.get(partition), offset);
    return records?.hasMore() === true && records.offset === offset ? records.take() : undefined;
  });
}

/** One fetch that waits for nothing, on the connection for questions. */
async function fetchAt(
  cluster: Cluster,
  topic: TopicPlace,
  from: ReadonlyMap<PartitionPlace, number>,
  bytes: number,
): Promise<ReadonlyMap<number, FetchedPart>> {
  const found = new Map<number, FetchedPart>();
  await onLeaders(cluster, [...from.keys()], async (line, of) => {
    const parts = of.map((place) => ({
      topicId: topic.id,
      partition: place.partition,
      leaderEpoch: place.epoch,
      offset: from.get(place)!,
      readEpoch: -1,
    }));
    const answer = await line.call<FetchAnswer>(fetchRequest({ waitMs: 0, bytes, parts }), cluster.requestMs);
    for (const part of answer.parts) found.set(part.partition, part);
  });
  return found;
}

/** Undefined when the offset is not in the log. */
function recordsOf({ name }: TopicPlace, part: FetchedPart | undefined, fromOffset: number): Records | undefined {
  if (part === undefined) throw new Electing(`Kafka left a partition of topic "${name}" out of its answer.`);
  const { partition, errorCode, bytes, aborted } = part;
  if (nameOfError(errorCode) === "OFFSET_OUT_OF_RANGE") return undefined;
  if (errorCode !== 0) {
    throw new Electing(`Kafka says ${nameOfError(errorCode)} of partition ${partition} of topic "${name}".`);
  }
  return new Records({ topic: name, partition, bytes, aborted, fromOffset });
}
