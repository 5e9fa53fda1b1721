import { fetchV17, FetchIsolationLevels, type Reader as WireReader } from "@platformatic/kafka";
import { ByteReader } from "./bytes.ts";
import type { Send } from "./line.ts";
import type { AbortedTransaction } from "./records.ts";

/** One partition in a fetch. */
export interface FetchPart {
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly offset: number;
  /** The epoch of what was read last, by which the broker sees that its log is another; -1: not known. */
  readonly readEpoch: number;
}

export interface FetchOptions {
  readonly waitMs: number;
  readonly bytes: number;
  readonly parts: readonly FetchPart[];
  /** A session keeps what was asked for before, so that only changes need to be said; without one, all is said. */
  readonly session?: { readonly id: number; readonly epoch: number; readonly forgotten: readonly FetchPart[] };
}

export interface FetchedPart {
  /** Without hyphens. */
  readonly topicId: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStable: number;
  /** Where the log that was read before and this one part; below 0: they do not. */
  readonly divergesAt: number;
  readonly aborted: readonly AbortedTransaction[];
  readonly bytes: Buffer;
}

export interface FetchAnswer {
  readonly errorCode: number;
  readonly sessionId: number;
  readonly parts: readonly FetchedPart[];
}

const partitionBytesMax = 1_048_576;
const wholeEpoch = -1;

/** A fetch of what is committed (API key 1, version 17). */
export function fetchRequest(options: FetchOptions): Send<FetchAnswer> {
  const { waitMs, bytes, parts, session } = options;
  const partitionMaxBytes = Math.min(bytes, partitionBytesMax);
  const topics = byTopic(parts, ({ partition, leaderEpoch, offset, readEpoch }) => ({
    partition,
    currentLeaderEpoch: leaderEpoch,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: readEpoch,
    partitionMaxBytes,
  }));
  const forgotten = byTopic(session?.forgotten ?? [], ({ partition }) => partition);
  const write = (): ReturnType<typeof fetchV17.createRequest> =>
    fetchV17.createRequest(
      waitMs,
      1,
      bytes,
      FetchIsolationLevels.READ_COMMITTED,
      session?.id ?? 0,
      session?.epoch ?? wholeEpoch,
      topics,
      forgotten,
      "",
    );
  return (connection, done) => connection.send(1, 17, write, parse, true, true, done);
}

function byTopic<T>(parts: readonly FetchPart[], as: (part: FetchPart) => T): { topicId: string; partitions: T[] }[] {
  const topics = new Map<string, T[]>();
  for (const part of parts) {
    const partitions = topics.get(part.topicId);
    if (partitions === undefined) topics.set(part.topicId, [as(part)]);
    else partitions.push(as(part));
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }));
}

/** The answer, with the records left as they are. */
function parse(_correlation: number, _key: number, _version: number, wire: WireReader): FetchAnswer {
  const reader = new ByteReader(wire.buffer.buffer, wire.position);
  reader.int32();
  const errorCode = reader.int16();
  const sessionId = reader.int32();
  const parts: FetchedPart[] = [];
  for (let topics = reader.unsignedVarint() - 1; topics > 0; topics--) {
    const topicId = reader.uuid();
    for (let count = reader.unsignedVarint() - 1; count > 0; count--) parts.push(parsePart(reader, topicId));
    reader.skipTags();
  }
  return { errorCode, sessionId, parts };
}

function parsePart(reader: ByteReader, topicId: string): FetchedPart {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStable = reader.int64();
  reader.int64();
  const aborted: AbortedTransaction[] = [];
  for (let count = reader.unsignedVarint() - 1; count > 0; count--) {
    aborted.push({ producerId: reader.bigint64(), firstOffset: reader.int64() });
    reader.skipTags();
  }
  reader.int32();
  const size = Math.max(reader.unsignedVarint() - 1, 0);
  const bytes = reader.buffer.subarray(reader.at, reader.at + size);
  reader.at += size;
  const divergesAt = parseDivergence(reader);
  return { topicId, partition, errorCode, highWatermark, lastStable, divergesAt, aborted, bytes };
}

/** Of the fields that follow only the first is of interest: the epoch and end where the logs part. */
function parseDivergence(reader: ByteReader): number {
  let divergesAt = -1;
  for (let count = reader.unsignedVarint(); count > 0; count--) {
    const tag = reader.unsignedVarint();
    const end = reader.unsignedVarint() + reader.at;
    if (tag === 0) {
      reader.int32();
      divergesAt = reader.int64();
    }
    reader.at = end;
  }
  return divergesAt;
}
