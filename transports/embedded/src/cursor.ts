import { bodyBytes, WaybillError, type Position, type StoredMessage, type TopicPartition } from "@waybill/messaging";
import type { FileLog, TopicLog } from "@waybill/store-sqlite";

/** What may still be taken in one fetch. */
export interface Room {
  messages: number;
  bytes: number;
}

/**
 * A partition in which nothing is written is told to have moved, and to have grown, only in such steps of the topic's
 * offsets: each move costs its reader a row.
 */
const silentOffsets = 1_024;

/** Where a partition stands whose topic has come to `offset` without a message for it. */
export function silentAt(offset: number): number {
  return offset - (offset % silentOffsets);
}

/** Where a reader stands in one partition. */
interface Place {
  readonly partition: TopicPartition;
  position: Position;
  moved: boolean;
}

/** Where a reader stands in one topic: it reads the topic's log once for all its partitions of it. */
export class Cursor {
  readonly name: string;
  readonly #log: FileLog;
  readonly #durable: boolean;
  readonly #places: (Place | undefined)[] = [];
  readonly #moved: Place[] = [];
  #topic: TopicLog | undefined;
  /** The next offset to look at. */
  #offset = 0;
  /** Where silent partitions stand. */
  #silent = 0;

  constructor(log: FileLog, name: string, positions: readonly Position[], durable: boolean) {
    this.#log = log;
    this.name = name;
    this.#durable = durable;
    for (const position of positions) {
      const { topic, partition } = position;
      this.#places[partition] = { partition: { topic, partition }, position, moved: false };
    }
  }

  /** Looks whether the topic is still the log that the positions were taken from. Throws as `Reader.fetch` says. */
  check(): void {
    const topic = this.#log.topic(this.name);
    if (this.#topic?.logId === topic.logId && this.#offset >= topic.firstOffset && this.#offset <= topic.nextOffset)
      return;
    this.#topic = topic;
    const places = this.#places.filter((place) => place !== undefined);
    for (const { position } of places) compare(this.#log, topic, position);
    this.#offset = Math.min(...places.map(({ position }) => Math.max(position.nextOffset, topic.firstOffset)));
    this.#silent = silentAt(Math.min(...places.map(({ position }) => position.nextOffset)));
  }

  get hasMore(): boolean {
    return this.#offset < this.#log.end(this.#topic!, this.#durable);
  }

  /** The callbacks of this reader's topic, to be told when there is more. */
  get listeners(): Set<() => void> | undefined {
    if (this.#topic === undefined) return undefined;
    return this.#durable ? this.#topic.onDurable : this.#topic.onApplied;
  }

  /** Takes messages until there is no more room or no more to read. Takes one in any case if `first`. */
  take(into: StoredMessage[], room: Room): void {
    const topic = this.#topic!;
    const end = this.#log.end(topic, this.#durable);
    while (this.#offset < end && room.messages > 0 && (room.bytes > 0 || into.length === 0)) {
      const page = this.#log.page(topic, this.#offset);
      if (page === undefined || page.first >= end) {
        this.#offset = end;
        return;
      }
      this.#offset = Math.max(this.#offset, page.first);
      const last = Math.min(end, page.first + page.messages.length);
      while (this.#offset < last) {
        const message = page.messages[this.#offset - page.first]!;
        if (!this.#takeOne(message, into, room)) return;
        this.#offset += 1;
      }
    }
  }

  /** False when there is no room for it. */
  #takeOne(message: StoredMessage, into: StoredMessage[], room: Room): boolean {
    const place = this.#places[message.partition];
    if (place === undefined || message.offset < place.position.nextOffset) return true;
    const bytes = bodyBytes(message.body);
    if (into.length > 0 && (room.messages <= 0 || room.bytes < bytes)) return false;
    room.messages -= 1;
    room.bytes -= bytes;
    into.push(message);
    const { topic, partition, offset, id } = message;
    place.position = {
      topic,
      partition,
      logId: this.#topic!.logId,
      nextOffset: offset + 1,
      lastOffset: offset,
      lastId: id,
    };
    this.#move(place);
    return true;
  }

  /** Positions that moved since they were last told, also past what is not a message of theirs. */
  tellMoved(next: Position[]): void {
    if (silentAt(this.#offset) > this.#silent) this.#moveSilent();
    for (const place of this.#moved) {
      place.moved = false;
      next.push(place.position);
    }
    this.#moved.length = 0;
  }

  #moveSilent(): void {
    this.#silent = silentAt(this.#offset);
    for (const place of this.#places) {
      if (place === undefined || place.position.nextOffset >= this.#silent) continue;
      place.position = { ...place.position, logId: this.#topic!.logId, nextOffset: this.#silent };
      this.#move(place);
    }
  }

  #move(place: Place): void {
    if (place.moved) return;
    place.moved = true;
    this.#moved.push(place);
  }

  tellAtEnd(atEnd: TopicPartition[]): void {
    const topic = this.#topic!;
    const ends = this.#durable ? topic.durableEnds : topic.ends;
    const all = !this.hasMore;
    for (const place of this.#places) {
      if (place !== undefined && (all || (ends[place.partition.partition] ?? 0) <= this.#offset))
        atEnd.push(place.partition);
    }
  }
}

/** Throws when the log is not the one that a position was taken from, or no longer holds what comes next. */
function compare(log: FileLog, topic: TopicLog, position: Position): void {
  const { topic: name, partition, logId, nextOffset, lastOffset, lastId } = position;
  const details = { topic: name, partition, logId, nextOffset, firstOffset: topic.firstOffset };
  const changed = (why: string): WaybillError =>
    new WaybillError("LOG_CHANGED", `Partition ${partition} of topic "${name}" is another log: ${why}.`, { details });
  if (partition >= topic.spec.partitions) {
    throw new WaybillError(
      "TOPIC_UNKNOWN",
      `Topic "${name}" has ${topic.spec.partitions} partitions; there is no number ${partition}.`,
      {
        details,
      },
    );
  }
  if (logId !== "" && logId !== topic.logId) throw changed(`its id is ${topic.logId}, not ${logId}`);
  if (nextOffset > topic.nextOffset) throw changed(`it ends at ${topic.nextOffset}, before ${nextOffset}`);
  if (lastOffset !== undefined && lastId !== undefined && lastOffset >= topic.firstOffset) {
    const found = messageAt(log, topic, partition, lastOffset)?.id;
    if (found !== lastId) throw changed(`offset ${lastOffset} holds ${found ?? "nothing"}, not ${lastId}`);
  }
  if (nextOffset < topic.firstOffset && logId !== "") {
    const text = `Partition ${partition} of topic "${name}" begins at ${topic.firstOffset}; ${nextOffset} is no longer kept.`;
    throw new WaybillError("RETENTION_PASSED", text, { details });
  }
}

/** The message of a partition at exactly an offset. */
export function messageAt(log: FileLog, topic: TopicLog, partition: number, offset: number): StoredMessage | undefined {
  if (offset < topic.firstOffset) return undefined;
  const page = log.page(topic, offset);
  const message = page?.messages[offset - page.first];
  return message?.partition === partition ? message : undefined;
}
