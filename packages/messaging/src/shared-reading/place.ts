import { bodyBytes, type Position, type StoredMessage, type TopicPartition } from "../message.ts";
import type { Feed, Listener } from "./feed.ts";

/** What a fetch may still bring. */
export interface Room {
  messages: number;
  bytes: number;
}

/** What a fetch brings. */
export interface Bringing {
  readonly messages: StoredMessage[];
  readonly room: Room;
}

/** A reader's place in a feed. */
export interface Tap extends Listener {
  readonly feed: Feed;
  /** How many of the feed's failures were told. */
  failures: number;
}

/** A position that goes on in place: it does so with every message of every reader. */
type Moving = { -readonly [Of in keyof Position]: Position[Of] };

/** How far a reader has come in its partitions of one topic, and whether it reads along there. */
export class Place {
  readonly topic: string;
  tap: Tap | undefined;
  readonly #at: Map<number, Moving>;
  /** Partitions that have moved since it was last told. */
  readonly #moved = new Set<number>();
  /** Partitions read to their end, as a reading of one's own said last. */
  ended: ReadonlySet<number> = new Set();

  constructor(topic: string, from: readonly Position[]) {
    this.topic = topic;
    this.#at = new Map(from.map((position) => [position.partition, { ...position }]));
  }

  get positions(): readonly Position[] {
    return Array.from(this.#at.values(), (position) => ({ ...position }));
  }

  /** Whether all of it was read to the end. */
  get isAtEnd(): boolean {
    return this.ended.size === this.#at.size;
  }

  /** Joins a feed that reaches back to here. */
  join(feed: Feed, hear: () => void): void {
    this.tap = { feed, at: feed.begin, failures: feed.failures, hear };
    feed.listeners.add(this.tap);
  }

  /** Whether what comes next is no longer in its feed. */
  get hasFallen(): boolean {
    return this.tap !== undefined && (this.tap.feed.over || this.tap.at < this.tap.feed.begin);
  }

  /** Takes what is ready in its feed, as far as there is room. */
  takeAlong(bringing: Bringing): void {
    const tap = this.tap!;
    const { feed } = tap;
    while (tap.at < feed.end) {
      const { begin, messages, sizes } = feed.pageOf(tap.at);
      for (let at = tap.at - begin; at < messages.length; at++) {
        const message = messages[at]!;
        const position = this.#at.get(message.partition);
        if (position !== undefined && message.offset >= position.nextOffset) {
          if (!fits(message, bringing, sizes[at])) return;
          this.took(message);
          bring(message, bringing, sizes[at]);
        }
        tap.at += 1;
      }
    }
    for (const { partition } of this.#at.values()) this.moved(feed.covered(partition));
  }

  took({ partition, offset, id }: StoredMessage): void {
    const position = this.#at.get(partition)!;
    position.nextOffset = offset + 1;
    position.lastOffset = offset;
    position.lastId = id;
    this.#moved.add(partition);
  }

  /** Everything before this position was taken. */
  moved({ partition, nextOffset, logId }: Position): void {
    const position = this.#at.get(partition)!;
    if (nextOffset <= position.nextOffset && logId === position.logId) return;
    position.logId = logId;
    position.nextOffset = Math.max(nextOffset, position.nextOffset);
    this.#moved.add(partition);
  }

  tellMoved(next: Position[]): void {
    for (const partition of this.#moved) next.push({ ...this.#at.get(partition)! });
    this.#moved.clear();
  }

  tellAtEnd(atEnd: TopicPartition[]): void {
    const { topic, tap } = this;
    if (tap !== undefined && tap.at < tap.feed.end) return;
    for (const partition of this.#at.keys()) {
      const isAtEnd = tap === undefined ? this.ended.has(partition) : tap.feed.isAtEnd(partition);
      if (isAtEnd) atEnd.push({ topic, partition });
    }
  }
}

/** Throws when the feed's broker could not be reached since this was asked last. */
export function throwFailure(tap: Tap | undefined): void {
  if (tap === undefined || tap.failures === tap.feed.failures) return;
  tap.failures = tap.feed.failures;
  throw tap.feed.error;
}

/** One message fits whatever its size, so that a large one does not stand in the way for ever. */
export function fits({ body }: StoredMessage, { messages, room }: Bringing, bytes = bodyBytes(body)): boolean {
  return room.messages > 0 && (messages.length === 0 || bytes <= room.bytes);
}

export function bring(message: StoredMessage, { messages, room }: Bringing, bytes = bodyBytes(message.body)): void {
  messages.push(message);
  room.messages -= 1;
  room.bytes -= bytes;
}
