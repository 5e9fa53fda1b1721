import { WaybillError, type TopicSpec } from "@waybill/messaging";
import type { Connection } from "./connection.ts";
import { Progress } from "./progress.ts";
import { messagesOf } from "./records.ts";
import { topicSpan } from "./tables.ts";
import { endOf, segmentAt, type Segment, type TopicLog } from "./topic-log.ts";
import type { Wave } from "./wave.ts";

interface TopicRow {
  readonly id: number;
  readonly name: string;
  readonly log_id: string;
  readonly partitions: number;
  readonly message_bytes_max: number;
  readonly retention_ms: number | null;
  readonly retention_bytes: number | null;
  readonly next_off: number;
  readonly first_off: number;
  readonly bytes: number;
  readonly ends: string;
}

/** How much of what was read from the file is kept parsed, for readers that follow one another. */
const pagesBytesMax = 8 * 1024 * 1024;

/** The topics of a file, and what of their logs is in memory. */
export class FileLog {
  readonly topics = new Map<string, TopicLog>();
  readonly progress: Progress;
  readonly #connection: Connection;
  readonly #tailBytesMax: number;
  /** Durable segments that are still in memory, the oldest first. */
  readonly #kept: Segment[] = [];
  #keptBytes = 0;
  readonly #pages = new Map<number, Segment>();
  #pagesBytes = 0;
  #retracted = false;

  constructor(connection: Connection, tailBytesMax: number) {
    this.#connection = connection;
    this.#tailBytesMax = tailBytesMax;
    this.progress = new Progress(connection);
    this.refresh();
  }

  topic(name: string): TopicLog {
    const topic = this.topics.get(name);
    if (topic !== undefined) return topic;
    throw new WaybillError("TOPIC_UNKNOWN", `Topic "${name}" is not declared.`, { details: { topic: name } });
  }

  /** Takes in what another process has written since; for a file that is open for reading only. */
  refresh(): void {
    for (const row of this.#connection.all<TopicRow>("select * from topic")) {
      const known = this.topics.get(row.name);
      const ends = JSON.parse(row.ends) as number[];
      if (known === undefined) this.topics.set(row.name, topicLog(row.id, specOf(row), row.log_id, row, ends));
      else {
        const moved = known.nextOffset !== row.next_off;
        Object.assign(known, {
          nextOffset: row.next_off,
          firstOffset: row.first_off,
          bytes: row.bytes,
          spec: specOf(row),
        });
        Object.assign(known, { durableOffset: row.next_off, durableEnds: ends, ends });
        if (moved) wake(known.onDurable);
      }
    }
  }

  /** A topic that is not stored yet. */
  add(spec: TopicSpec, logId: string): TopicLog {
    const id = Math.max(0, ...[...this.topics.values()].map((topic) => topic.id)) + 1;
    const topic = topicLog(
      id,
      spec,
      logId,
      { next_off: 0, first_off: 0, bytes: 0 },
      Array<number>(spec.partitions).fill(0),
    );
    this.topics.set(spec.name, topic);
    return topic;
  }

  /** Puts a segment that was applied behind its topic's tail. */
  show(segment: Segment): void {
    segment.topic.tail.push(segment);
  }

  /** Tells the readers of a topic that it has grown. */
  wake(topic: TopicLog): void {
    wake(topic.onApplied);
  }

  /** A wave is durable. */
  settle(wave: Wave): void {
    this.progress.settle(wave);
    for (const segment of wave.segments) {
      const { topic } = segment;
      topic.durableOffset = endOf(segment);
      topic.durableEnds = [...topic.ends];
      // The tail keeps messages as the file has them, not all else that their wave wrote.
      segment.wave = undefined;
      for (const message of segment.messages) (message as { value?: unknown }).value = undefined;
      this.#kept.push(segment);
      this.#keptBytes += segment.bytes;
    }
    let evict = 0;
    while (this.#keptBytes > this.#tailBytesMax && evict < this.#kept.length) {
      const oldest = this.#kept[evict++]!;
      oldest.topic.tail.shift();
      this.#keptBytes -= oldest.bytes;
    }
    if (evict > 0) this.#kept.splice(0, evict);
    for (const { topic } of wave.segments) wake(topic.onDurable);
  }

  /** Takes away what is not durable: its wave was refused. Until `resume` readers see only what is durable. */
  retract(): void {
    this.#retracted = true;
    for (const topic of this.topics.values()) {
      const keep = topic.tail.findIndex((segment) => segment.first >= topic.durableOffset);
      if (keep === -1) continue;
      for (const segment of topic.tail.splice(keep)) topic.bytes -= segment.bytes;
      topic.openSegment = undefined;
    }
  }

  /** What could be kept is durable; the rest leaves holes. */
  resume(): void {
    this.#retracted = false;
    for (const topic of this.topics.values()) {
      topic.durableOffset = topic.nextOffset;
      topic.durableEnds = [...topic.ends];
      wake(topic.onApplied);
      wake(topic.onDurable);
    }
  }

  /** One past what a reader may see: all that was applied, or only what is durable. */
  end(topic: TopicLog, durable: boolean): number {
    return durable || this.#retracted ? topic.durableOffset : topic.nextOffset;
  }

  /** The segment with the first message at or after an offset; undefined when there is none. */
  page(topic: TopicLog, offset: number): Segment | undefined {
    const { tail } = topic;
    if (tail.length > 0 && offset >= tail[0]!.first) return tail[segmentAt(tail, offset)];
    return this.#fromFile(topic, offset) ?? tail[0];
  }

  /** An offset before which every message was published earlier than this. */
  firstPublishedAfter(topic: TopicLog, atMs: number): number {
    const base = topic.id * topicSpan;
    const found = this.#connection.get<{ off: number }>(
      "select off from chunk where off >= ? and off < ? and at_max >= ? order by off limit 1",
      base,
      base + topicSpan,
      atMs,
    );
    return found === undefined ? topic.durableOffset : found.off - base;
  }

  #fromFile(topic: TopicLog, offset: number): Segment | undefined {
    const base = topic.id * topicSpan;
    const found = this.#connection.get<{ off: number; count: number }>(
      "select off, count from chunk where off between ? and ? order by off desc limit 1",
      base,
      base + offset,
    );
    if (found !== undefined && found.off + found.count > base + offset) return this.#read(topic, found.off);
    const next = this.#connection.get<{ off: number }>(
      "select off from chunk where off > ? and off < ? order by off limit 1",
      base + offset,
      base + topicSpan,
    );
    return next === undefined ? undefined : this.#read(topic, next.off);
  }

  #read(topic: TopicLog, off: number): Segment {
    const cached = this.#pages.get(off);
    if (cached !== undefined) return cached;
    const { bytes, records } = this.#connection.get<{ bytes: number; records: string }>(
      "select bytes, records from chunk where off = ?",
      off,
    )!;
    const first = off - topic.id * topicSpan;
    const page: Segment = {
      wave: undefined,
      topic,
      first,
      messages: messagesOf(topic.spec.name, first, records),
      bytes,
    };
    this.#pages.set(off, page);
    this.#pagesBytes += bytes;
    for (const [oldest, { bytes: size }] of this.#pages) {
      if (this.#pagesBytes <= pagesBytesMax || oldest === off) break;
      this.#pages.delete(oldest);
      this.#pagesBytes -= size;
    }
    return page;
  }
}

function topicLog(
  id: number,
  spec: TopicSpec,
  logId: string,
  row: Pick<TopicRow, "next_off" | "first_off" | "bytes">,
  ends: number[],
): TopicLog {
  return {
    id,
    spec,
    logId,
    nextOffset: row.next_off,
    firstOffset: row.first_off,
    bytes: row.bytes,
    ends,
    durableOffset: row.next_off,
    durableEnds: [...ends],
    tail: [],
    openSegment: undefined,
    full: false,
    onApplied: new Set(),
    onDurable: new Set(),
  };
}

function specOf(row: TopicRow): TopicSpec {
  return {
    name: row.name,
    partitions: row.partitions,
    bytesMax: row.message_bytes_max,
    ...(row.retention_ms === null ? {} : { retentionMs: row.retention_ms }),
    ...(row.retention_bytes === null ? {} : { retentionBytes: row.retention_bytes }),
  };
}

function wake(listeners: ReadonlySet<() => void>): void {
  for (const listener of listeners) listener();
}
