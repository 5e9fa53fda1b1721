import {
  WaybillError,
  type Fetched,
  type FetchLimits,
  type Position,
  type Reader,
  type StoredMessage,
  type TopicPartition,
} from "@waybill/messaging";
import type { EmbeddedFile } from "@waybill/store-sqlite";
import { Cursor, type Room } from "./cursor.ts";

/** How often a reader of another process' file looks whether there is more, in milliseconds. */
const pollMs = 100;

/** A reader over partitions of a file's topics; `alive` throws CLOSED once its transport is closed. */
export class EmbeddedReader implements Reader {
  readonly #file: EmbeddedFile;
  readonly #alive: () => void;
  readonly #onClosed: (reader: EmbeddedReader) => void;
  readonly #cursors: readonly Cursor[];
  /** Every partition that is read. */
  readonly #all: readonly TopicPartition[];
  readonly #heard = new Set<Cursor>();
  #first = 0;
  #closed = false;
  #atEnd = -1;
  #ring: (() => void) | undefined;

  constructor(
    file: EmbeddedFile,
    from: readonly Position[],
    options: { durable: boolean; alive: () => void; onClosed: (reader: EmbeddedReader) => void },
  ) {
    this.#file = file;
    this.#alive = options.alive;
    this.#onClosed = options.onClosed;
    this.#all = from.map(({ topic, partition }) => ({ topic, partition }));
    const topics = Map.groupBy(from, (position) => position.topic);
    this.#cursors = [...topics].map(([name, positions]) => new Cursor(file.log, name, positions, options.durable));
  }

  async fetch(limits: FetchLimits, signal: AbortSignal): Promise<Fetched> {
    const { world } = this.#file;
    const untilMs = world.monotonicMs() + limits.waitMs;
    for (;;) {
      this.#open();
      const fetched = this.#take(limits);
      const leftMs = untilMs - world.monotonicMs();
      // That a reader has come to an end is news as well: it tells how far time has got.
      const news = fetched.messages.length > 0 || fetched.next.length > 0 || fetched.atEnd.length !== this.#atEnd;
      this.#atEnd = fetched.atEnd.length;
      if (news || leftMs <= 0 || signal.aborted) return fetched;
      await this.#wait(leftMs, signal);
    }
  }

  #open(): void {
    this.#alive();
    this.#file.look();
    if (this.#closed) throw new WaybillError("CLOSED", "The reader is closed.");
  }

  #take(limits: FetchLimits): Fetched {
    for (const cursor of this.#cursors) {
      cursor.check();
      this.#listen(cursor);
    }
    const messages: StoredMessage[] = [];
    const room: Room = { messages: limits.messages, bytes: limits.bytes };
    const ready = this.#cursors.filter((cursor) => cursor.hasMore && limits.except?.has(cursor.name) !== true);
    shareOut(ready, this.#first, messages, room);
    this.#first = (this.#first + 1) % Math.max(this.#cursors.length, 1);
    const next: Position[] = [];
    for (const cursor of this.#cursors) cursor.tellMoved(next);
    return { messages, next, atEnd: this.#ended() };
  }

  /** The partitions read to their end; mostly all of them, and then always the same list. */
  #ended(): readonly TopicPartition[] {
    if (!this.#cursors.some((cursor) => cursor.hasMore)) return this.#all;
    const atEnd: TopicPartition[] = [];
    for (const cursor of this.#cursors) cursor.tellAtEnd(atEnd);
    return atEnd;
  }

  #listen(cursor: Cursor): void {
    if (this.#heard.has(cursor)) return;
    this.#heard.add(cursor);
    cursor.listeners?.add(this.#wake);
  }

  readonly #wake = (): void => this.#ring?.();

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const ring = (): void => {
        this.#ring = undefined;
        clearTimeout(timer);
        signal.removeEventListener("abort", ring);
        resolve();
      };
      this.#ring = ring;
      const timer = setTimeout(ring, Math.min(ms, this.#file.readOnly ? pollMs : 86_400_000));
      signal.addEventListener("abort", ring);
    });
  }

  /** Ends a wait; the fetch then looks whether it may go on. */
  interrupt(): void {
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#onClosed(this);
    for (const cursor of this.#heard) cursor.listeners?.delete(this.#wake);
    this.#wake();
  }
}

/** Gives each topic its share of the room, beginning with another one each time, and then what others left over. */
function shareOut(ready: readonly Cursor[], first: number, messages: StoredMessage[], room: Room): void {
  for (let at = 0; at < ready.length; at++) {
    const left = ready.length - at;
    const share = { messages: Math.ceil(room.messages / left), bytes: Math.ceil(room.bytes / left) };
    const asked = { ...share };
    ready[(at + first) % ready.length]!.take(messages, share);
    room.messages -= asked.messages - share.messages;
    room.bytes -= asked.bytes - share.bytes;
  }
  for (const cursor of ready) if (cursor.hasMore) cursor.take(messages, room);
}
