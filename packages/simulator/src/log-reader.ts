import {
  bodyBytes,
  WaybillError,
  type Fetched,
  type FetchLimits,
  type Position,
  type StoredMessage,
} from "@waybill/messaging";
import { indexOf, messageAt, type Logs, type PartitionLog, type TopicLog } from "./log.ts";

/** Where a reader stands in one partition. */
interface Cursor {
  position: Position;
  /** The partition's log as it was when the positions were last compared; a topic that is made anew has others. */
  log: PartitionLog | undefined;
  /** The log's index of the next message to take, during one fetch. */
  index: number;
  last: StoredMessage | undefined;
}

/** A reader's place in the logs: what it has read of which, and what comes next. */
export class Cursors {
  readonly topics: readonly string[];
  readonly #logs: Logs;
  readonly #cursors: readonly Cursor[];
  #first = 0;
  /** The logs' damage when the positions were last compared with them. */
  #comparedAt = -1;

  constructor(logs: Logs, from: readonly Position[]) {
    this.#logs = logs;
    this.#cursors = from.map((position) => ({
      position: { ...position },
      log: undefined,
      index: 0,
      last: undefined,
    }));
    this.topics = [...new Set(from.map(({ topic }) => topic))];
  }

  /** What there is now, beginning with another partition each time; topics in `stalled` are as if they did not answer. */
  take(limits: FetchLimits, stalled: ReadonlySet<string>): Fetched {
    if (this.#comparedAt !== this.#logs.damage) this.#compare();
    const fetched: Mutable = { messages: [], next: [], atEnd: [] };
    const open: Cursor[] = [];
    const count = this.#cursors.length;
    for (let at = 0; at < count; at++) {
      const cursor = this.#cursors[(at + this.#first) % count]!;
      const { topic, nextOffset } = cursor.position;
      if (limits.except?.has(topic) === true || stalled.has(topic)) continue;
      const log = cursor.log!;
      cursor.last = undefined;
      cursor.index = log.nextOffset === nextOffset ? log.messages.length : indexOf(log, nextOffset);
      open.push(cursor);
    }
    this.#first = (this.#first + 1) % Math.max(count, 1);
    this.#inTurn(open, limits, fetched.messages);
    for (const cursor of open) this.#move(cursor, fetched);
    return fetched;
  }

  /** One message of each partition in turn, until a limit is reached or nothing is left. */
  #inTurn(open: readonly Cursor[], limits: FetchLimits, messages: StoredMessage[]): void {
    let waiting = open.filter(hasMore);
    for (let bytes = 0; waiting.length > 0;) {
      for (const cursor of waiting) {
        const message = cursor.log!.messages[cursor.index]!;
        bytes += bodyBytes(message.body);
        if (messages.length >= limits.messages || (messages.length > 0 && bytes > limits.bytes)) return;
        messages.push(message);
        cursor.index += 1;
        cursor.last = message;
      }
      waiting = waiting.filter(hasMore);
    }
  }

  /** Notes the partition's new position, and whether it was read to its end. */
  #move(cursor: Cursor, fetched: Mutable): void {
    const before = cursor.position;
    const log = cursor.log!;
    const isAtEnd = cursor.index >= log.messages.length;
    const nextOffset = isAtEnd ? log.nextOffset : log.messages[cursor.index]!.offset;
    if (nextOffset !== before.nextOffset) {
      const { last } = cursor;
      const read = last === undefined ? {} : { lastOffset: last.offset, lastId: last.id };
      cursor.position = { ...before, ...read, logId: this.#logs.topic(before.topic).logId, nextOffset };
      fetched.next.push(cursor.position);
    }
    if (isAtEnd) fetched.atEnd.push(cursor.position);
  }

  #compare(): void {
    for (const cursor of this.#cursors) {
      const { position } = cursor;
      const topic = this.#logs.topic(position.topic);
      cursor.log = this.#logs.partition(position.topic, position.partition);
      compare(topic, cursor.log, position);
    }
    this.#comparedAt = this.#logs.damage;
  }
}

function hasMore({ log, index }: Cursor): boolean {
  return index < log!.messages.length;
}

interface Mutable {
  readonly messages: StoredMessage[];
  readonly next: Position[];
  readonly atEnd: Position[];
}

/** Throws when the log is not the one that the position was taken from, or no longer holds what comes next. */
function compare({ logId }: TopicLog, log: PartitionLog, position: Position): void {
  const { topic, partition, nextOffset, lastOffset, lastId } = position;
  const details = { topic, partition, logId, nextOffset, lastOffset };
  const changed = (why: string): WaybillError =>
    new WaybillError("LOG_CHANGED", `Partition ${partition} of topic "${topic}" is another log: ${why}.`, { details });
  if (position.logId !== "" && position.logId !== logId) throw changed(`its id is ${logId}, not ${position.logId}`);
  if (nextOffset > log.nextOffset) throw changed(`it ends at ${log.nextOffset}, before ${nextOffset}`);
  if (lastOffset !== undefined && lastId !== undefined && lastOffset >= log.firstOffset) {
    const found = messageAt(log, lastOffset)?.id;
    if (found !== lastId) throw changed(`offset ${lastOffset} holds ${found ?? "nothing"}, not ${lastId}`);
  }
  if (nextOffset < log.firstOffset) {
    const text = `Partition ${partition} of topic "${topic}" begins at ${log.firstOffset}; ${nextOffset} is no longer kept.`;
    throw new WaybillError("RETENTION_PASSED", text, { details });
  }
}
