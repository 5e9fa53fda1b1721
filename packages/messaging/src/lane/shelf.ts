import type { WaybillError } from "../errors.ts";
import type { Position, StoredMessage } from "../message.ts";

/** A message that waits, with its place in time: never after that of what stands behind it in its partition. */
interface Waiting {
  readonly message: StoredMessage;
  /** Of its body. */
  readonly bytes: number;
  timeMs: number;
}

/** A partition of a topic: how far its messages have come in time, and whether there are more. */
interface Stream {
  /** Read to its end, as of the last fetch that covered it. */
  atEnd: boolean;
  /** The time of the last message fetched that did not claim to come from the future. */
  fetchedMs: number;
  /** The time of the last message taken: what is not fetched yet was published after it. */
  takenMs: number;
  waiting: number;
}

/** One topic of a lane: what was read of it and not handled yet, and whether there is more. */
export interface Shelf {
  readonly topic: string;
  readonly streams: ReadonlyMap<number, Stream>;
  /** In order of time; those of one partition in their own order. */
  queue: Waiting[];
  /** Index of the first message not taken yet. */
  head: number;
  bytes: number;
  /** How many partitions are known to go on with something that is not fetched yet. */
  unfetched: number;
  /** All partitions were read to their end, as of the last fetch that covered it. */
  ended: boolean;
  /** When a fetch last told how far the topic goes. */
  heardMs: number;
  /** Its broker cannot be reached: it holds lane time, and nobody waits for it. */
  away: boolean;
  blocked: WaybillError | undefined;
  /** Where the partitions stand once all that was fetched is handled. */
  next: Map<number, Position>;
}

/** An empty shelf for these partitions of a topic. */
export function newShelf(topic: string, positions: readonly Position[], blocked: WaybillError | undefined): Shelf {
  return {
    topic,
    streams: new Map(
      positions.map(({ partition }) => [partition, { atEnd: false, fetchedMs: 0, takenMs: 0, waiting: 0 }]),
    ),
    queue: [],
    head: 0,
    bytes: 0,
    unfetched: positions.length,
    ended: false,
    heardMs: 0,
    away: false,
    blocked,
    next: new Map(),
  };
}

/** The time of the next message; there must be one. */
export function headMs(shelf: Shelf): number {
  return shelf.queue[shelf.head]!.timeMs;
}

export function isUnfetched(stream: Stream): boolean {
  return stream.waiting === 0 && !stream.atEnd;
}

/**
 * Puts what waits in order of time without changing the order within a partition: no message counts as later than one
 * that stands behind it there, so that a producer's wrong clock cannot let time run ahead of what is unread.
 */
export function sortByTime(shelf: Shelf): void {
  const waiting = shelf.queue.slice(shelf.head);
  shelf.head = 0;
  const least = new Map<number, number>();
  let sorted = true;
  for (let at = waiting.length - 1; at >= 0; at--) {
    const one = waiting[at]!;
    const { partition } = one.message;
    one.timeMs = Math.min(one.timeMs, least.get(partition) ?? Infinity);
    least.set(partition, one.timeMs);
    sorted &&= at === waiting.length - 1 || one.timeMs <= waiting[at + 1]!.timeMs;
  }
  shelf.queue = sorted ? waiting : waiting.sort((a, b) => a.timeMs - b.timeMs);
}
