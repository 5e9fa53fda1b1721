import { WaybillError, type Position, type StoredMessage } from "@waybill/messaging";
import type { TopicPlace } from "./cluster.ts";
import { unavailable } from "./errors.ts";
import type { FetchedPart, FetchPart } from "./fetch.ts";
import { Records } from "./records.ts";

/** What of a fetch is still free. */
export interface Room {
  messages: number;
  bytes: number;
}

/** Where a reader stands in one partition, and what it has fetched of it. */
export class Cursor {
  position: Position;
  /** The broker that leads the partition; below 0: to be looked for. */
  leader = -1;
  /** Why it cannot be read any further. */
  failure: WaybillError | undefined;
  /** Whether an answer has to be looked into before the partition is read on. */
  doubtful = false;
  /** The number of the reader's call that asked for the last answer. */
  toldBy = 0;
  #part: FetchPart;
  #readEpoch = -1;
  #highWatermark = -1;
  #records: Records | undefined;
  /** Whether the message read last is still to be compared with what is in the log. */
  #toCompare: boolean;
  #told: number;

  constructor(position: Position) {
    this.position = position;
    this.#told = position.nextOffset;
    this.#part = { topicId: "", partition: position.partition, leaderEpoch: -1, offset: -1, readEpoch: -1 };
    this.#toCompare = position.lastOffset !== undefined && position.lastId !== undefined;
  }

  get topic(): string {
    return this.position.topic;
  }

  get partition(): number {
    return this.position.partition;
  }

  /** Whether something that was fetched has not been taken yet. */
  get holds(): boolean {
    return this.#records !== undefined;
  }

  get atEnd(): boolean {
    return this.#records === undefined && this.#highWatermark >= 0 && this.position.nextOffset >= this.#highWatermark;
  }

  /** Where to fetch from: at the message read last, as long as it is to be compared. */
  get offset(): number {
    const { lastOffset, nextOffset } = this.position;
    return this.#toCompare ? lastOffset! : nextOffset;
  }

  /** What to ask for; the same object as long as it is the same. */
  part(): FetchPart {
    const { partition, offset } = this;
    const readEpoch = this.#toCompare ? -1 : this.#readEpoch;
    const { topicId, leaderEpoch, offset: before, readEpoch: epochBefore } = this.#part;
    if (before !== offset || epochBefore !== readEpoch) {
      this.#part = { topicId, partition, leaderEpoch, offset, readEpoch };
    }
    return this.#part;
  }

  /** Takes note of where the partition is. */
  locate(topic: TopicPlace): void {
    const { logId, partition } = this.position;
    const place = topic.partitions[partition];
    if (logId !== "" && logId !== topic.id) return this.fail(this.changed(`its id is ${topic.id}, not ${logId}`));
    if (place === undefined)
      return this.fail(this.#error("TOPIC_UNKNOWN", `It has ${topic.partitions.length} partitions.`));
    this.#part = { ...this.#part, topicId: topic.id, leaderEpoch: place.epoch };
    this.leader = place.leader;
  }

  /** Compares the message read last with what is in the log once more, unless there is something newer at hand. */
  compareAgain(): void {
    const { lastOffset, lastId } = this.position;
    this.#toCompare ||= this.#records === undefined && lastOffset !== undefined && lastId !== undefined;
  }

  /** Where the log ends is not known until its broker has said so again. */
  forgetEnd(): void {
    this.#highWatermark = -1;
  }

  fail(error: WaybillError): void {
    this.failure ??= error;
  }

  /** Takes the answer to what was asked for last; false: it decides nothing. */
  accept(part: FetchedPart): boolean {
    if (part.divergesAt >= 0) {
      this.fail(this.changed(`it was cut off at ${part.divergesAt} and goes on otherwise`));
      return false;
    }
    this.#highWatermark = part.highWatermark;
    const records = this.#recordsOf(part);
    if (this.#toCompare && !this.#compare(records)) return false;
    if (records === undefined) return true;
    this.#records = records;
    if (!records.hasMore()) this.#pass(records);
    return true;
  }

  #recordsOf({ bytes, aborted }: FetchedPart): Records | undefined {
    if (bytes.length === 0) return undefined;
    const { topic, partition, offset: fromOffset } = this;
    return new Records({ topic, partition, bytes, aborted, fromOffset });
  }

  /** Whether the log holds the message that was read last where it was read. */
  #compare(records: Records | undefined): boolean {
    if (records === undefined) {
      // The end is before it, or is not known yet on a leader that is new.
      this.doubtful = true;
      return false;
    }
    const { lastOffset, lastId } = this.position;
    const found = records.hasMore() && records.offset === lastOffset ? records.take().id : undefined;
    if (found !== lastId) {
      this.fail(this.changed(`offset ${lastOffset} holds ${found ?? "nothing"}, not ${lastId}`));
      return false;
    }
    this.#toCompare = false;
    return true;
  }

  /** Decides, by where the log begins and ends, what an offset that is not in it means. */
  settle(firstOffset: number, nextOffset: number): void {
    this.doubtful = false;
    const { nextOffset: wanted } = this.position;
    if (wanted > nextOffset) return this.fail(this.changed(`it ends at ${nextOffset}, before ${wanted}`));
    if (wanted < firstOffset) {
      const text = `It begins at ${firstOffset}; ${wanted} is no longer kept.`;
      return this.fail(this.#error("RETENTION_PASSED", text, { nextOffset: wanted, firstOffset }));
    }
    // What was read last is no longer kept, and so cannot be compared.
    if (this.offset < firstOffset) this.#toCompare = false;
  }

  /**
   * Hands out messages as long as there is room, and one at least if `into` is empty. Returns why it stopped early, if
   * what was fetched is damaged: what was handed out is good, and the rest is fetched again.
   */
  take(into: StoredMessage[], room: Room): unknown {
    const records = this.#records;
    if (records === undefined) return undefined;
    const from = into.length;
    try {
      while (records.hasMore() && room.messages > 0 && (records.size <= room.bytes || into.length === 0)) {
        room.messages -= 1;
        room.bytes -= records.size;
        into.push(records.take());
      }
      this.#moveTo(into.length > from ? into.at(-1) : undefined, records.nextOffset);
      if (!records.hasMore()) this.#pass(records);
      return undefined;
    } catch (error) {
      const last = into.length > from ? into.at(-1) : undefined;
      if (last !== undefined) this.#moveTo(last, last.offset + 1);
      this.#records = undefined;
      return error;
    }
  }

  #moveTo(last: StoredMessage | undefined, nextOffset: number): void {
    if (last === undefined) return;
    this.position = {
      topic: this.topic,
      partition: this.partition,
      logId: this.#part.topicId,
      nextOffset,
      lastOffset: last.offset,
      lastId: last.id,
    };
  }

  /** All that was fetched has been taken. */
  #pass(records: Records): void {
    this.#records = undefined;
    this.#readEpoch = records.epoch;
    if (records.nextOffset > this.position.nextOffset) {
      this.position = { ...this.position, logId: this.#part.topicId, nextOffset: records.nextOffset };
    }
  }

  /** Adds the position if it has moved since it was told last. */
  tellMoved(next: Position[]): void {
    if (this.position.nextOffset === this.#told) return;
    this.#told = this.position.nextOffset;
    next.push(this.position);
  }

  changed(why: string): WaybillError {
    const { logId, nextOffset, lastOffset } = this.position;
    return this.#error("LOG_CHANGED", `It is another log: ${why}.`, { logId, nextOffset, lastOffset });
  }

  unreachable(why: string): WaybillError {
    const { topic, partition } = this;
    return unavailable(`Partition ${partition} of topic "${topic}" cannot be read now: ${why}.`, { topic, partition });
  }

  #error(
    code: "LOG_CHANGED" | "RETENTION_PASSED" | "TOPIC_UNKNOWN",
    text: string,
    details: Record<string, unknown> = {},
  ): WaybillError {
    const { topic, partition } = this;
    return new WaybillError(code, `Partition ${partition} of topic "${topic}" cannot be read on. ${text}`, {
      details: { topic, partition, ...details },
    });
  }
}
