import {
  WaybillError,
  type Fetched,
  type FetchLimits,
  type Position,
  type Reader,
  type StoredMessage,
} from "@waybill/messaging";
import { partitionNamed, topicNamed, type Broker, type TopicLog } from "./broker.ts";
import { byValue, indexOf, messageAt, messageBytes, type PartitionLog } from "./log.ts";

/** Where a reader stands in one partition. */
interface Cursor {
  position: Position;
}

/** A cursor during one fetch. */
interface Turn {
  readonly cursor: Cursor;
  readonly topic: TopicLog;
  readonly log: PartitionLog;
  /** The index of the next message to take. */
  index: number;
  last: StoredMessage | undefined;
}

/** A reader over the broker's logs; `alive` throws CLOSED once its transport is closed. */
export function memoryReader(broker: Broker, from: readonly Position[], alive: () => void): Reader {
  const cursors: Cursor[] = from.map((position) => ({ position: { ...position } }));
  const closing = new AbortController();
  let first = 0;

  function open(): void {
    alive();
    if (closing.signal.aborted) throw new WaybillError("CLOSED", "The reader is closed.");
  }

  /** What there is now, beginning with another partition each time. */
  function take(limits: FetchLimits): Fetched {
    const wanted = cursors.filter((cursor) => limits.except?.has(cursor.position.topic) !== true);
    const turns = wanted.map((_, at) => turnOf(broker, wanted[(at + first) % wanted.length]!));
    first = (first + 1) % Math.max(cursors.length, 1);
    const messages = inTurn(turns, limits);
    return {
      messages,
      next: turns.flatMap(moved),
      atEnd: turns.filter(isAtEnd).map((turn) => turn.cursor.position),
    };
  }

  return {
    async fetch(limits, signal) {
      const untilMs = broker.world.monotonicMs() + limits.waitMs;
      for (;;) {
        open();
        const fetched = take(limits);
        const leftMs = untilMs - broker.world.monotonicMs();
        if (fetched.messages.length > 0 || fetched.next.length > 0 || leftMs <= 0 || signal.aborted) return fetched;
        await change(broker, leftMs, AbortSignal.any([signal, closing.signal]));
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
    },
  };
}

function turnOf(broker: Broker, cursor: Cursor): Turn {
  const topic = topicNamed(broker, cursor.position.topic);
  const log = partitionNamed(topic, cursor.position.partition);
  compare(topic, log, cursor.position);
  return { cursor, topic, log, index: indexOf(log, cursor.position.nextOffset), last: undefined };
}

/** Throws when the log is not the one that the position was taken from, or no longer holds what comes next. */
function compare(topic: TopicLog, log: PartitionLog, position: Position): void {
  const { topic: name, partition, logId, nextOffset, lastOffset, lastId } = position;
  const changed = (why: string): WaybillError =>
    new WaybillError("LOG_CHANGED", `Partition ${partition} of topic "${name}" is another log: ${why}.`, {
      details: { topic: name, partition, logId, nextOffset, lastOffset },
    });
  if (logId !== "" && logId !== topic.logId) throw changed(`its id is ${topic.logId}, not ${logId}`);
  if (nextOffset > log.nextOffset) throw changed(`it ends at ${log.nextOffset}, before ${nextOffset}`);
  if (lastOffset !== undefined && lastId !== undefined && lastOffset >= log.firstOffset) {
    const found = messageAt(log, lastOffset)?.id;
    if (found !== lastId) throw changed(`offset ${lastOffset} holds ${found ?? "nothing"}, not ${lastId}`);
  }
  if (nextOffset < log.firstOffset) {
    throw new WaybillError(
      "RETENTION_PASSED",
      `Partition ${partition} of topic "${name}" begins at ${log.firstOffset}; ${nextOffset} is no longer kept.`,
      { details: { topic: name, partition, nextOffset, firstOffset: log.firstOffset } },
    );
  }
}

/** One message of each partition in turn, until a limit is reached or nothing is left. */
function inTurn(turns: readonly Turn[], limits: FetchLimits): StoredMessage[] {
  const messages: StoredMessage[] = [];
  let bytes = 0;
  let waiting = turns.filter((turn) => !isAtEnd(turn));
  while (waiting.length > 0) {
    for (const turn of waiting) {
      const message = turn.log.messages[turn.index]!;
      bytes += messageBytes(message);
      const full = messages.length >= limits.messages || (messages.length > 0 && bytes > limits.bytes);
      if (full) return messages;
      messages.push(byValue(message));
      turn.index += 1;
      turn.last = message;
    }
    waiting = waiting.filter((turn) => !isAtEnd(turn));
  }
  return messages;
}

function isAtEnd(turn: Turn): boolean {
  return turn.index >= turn.log.messages.length;
}

/** The partition's new position, if it moved: behind the last message taken, or past a hole at the end. */
function moved(turn: Turn): Position[] {
  const before = turn.cursor.position;
  const nextOffset = isAtEnd(turn) ? turn.log.nextOffset : turn.log.messages[turn.index]!.offset;
  if (nextOffset === before.nextOffset) return [];
  const last = turn.last === undefined ? {} : { lastOffset: turn.last.offset, lastId: turn.last.id };
  turn.cursor.position = { ...before, ...last, logId: turn.topic.logId, nextOffset };
  return [turn.cursor.position];
}

/** Resolves when a log has changed, the time is over, or the signal is aborted. */
async function change(broker: Broker, ms: number, signal: AbortSignal): Promise<void> {
  const changed = new AbortController();
  const wake = (): void => changed.abort();
  broker.waiting.add(wake);
  try {
    await broker.world.sleep(ms, AbortSignal.any([signal, changed.signal]));
  } finally {
    broker.waiting.delete(wake);
  }
}
