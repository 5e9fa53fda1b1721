import { codeOf, messageOf, WaybillError } from "../errors.ts";
import { bodyBytes, type Position, type StoredMessage, type TopicPartition } from "../message.ts";
import type { Fetched, Reader, Transport } from "../transport.ts";
import type { World } from "../world.ts";
import { headMs, isUnfetched, newShelf, sortByTime, type Shelf } from "./shelf.ts";
import type { Bell } from "./wake.ts";

export interface InboxLimits {
  /** What each topic may hold ready in memory. */
  readonly messagesPerTopic: number;
  readonly bytesPerTopic: number;
}

const retryAfterMs = 500;
const fetchWaitMs = 10_000;
/** For how long an end that was reached counts as the end still. More than a fetch waits. */
const endKnownMs = 15_000;

/**
 * What a lane has fetched ahead, a shelf a topic, so that a long topic cannot crowd out a short one. Messages are given
 * out by the time they were published, as far as they are known to exist.
 */
export class Inbox {
  readonly #limits: InboxLimits;
  readonly #bell: Bell;
  readonly #world: World;
  readonly #shelves = new Map<string, Shelf>();
  /** What to call when a shelf has room again, by the reader that has none to fill or fetches without some. */
  readonly #room = new Map<Reader, () => void>();
  readonly #readers: Reader[] = [];
  readonly #loops: Promise<void>[] = [];
  readonly #stop = new AbortController();
  readonly #onFailed: (error: WaybillError) => void;
  readonly #nowMs: () => number;

  constructor(options: {
    limits: InboxLimits;
    bell: Bell;
    world: World;
    /** The store's clock. */
    nowMs: () => number;
    /** Told when a reader cannot go on without somebody's decision. */
    onFailed: (error: WaybillError) => void;
  }) {
    this.#limits = options.limits;
    this.#bell = options.bell;
    this.#world = options.world;
    this.#nowMs = options.nowMs;
    this.#onFailed = options.onFailed;
  }

  /** Starts to read these positions, all on one transport, but for the topics that are blocked. */
  open(
    transport: Transport,
    positions: readonly Position[],
    blocked: ReadonlyMap<string, WaybillError> = new Map(),
  ): void {
    const partitions = Map.groupBy(positions, (position) => position.topic);
    for (const [topic, of] of partitions) {
      this.#shelves.set(topic, newShelf(topic, of, blocked.get(topic)));
    }
    const reader = transport.reader(positions);
    this.#readers.push(reader);
    this.#loops.push(
      this.#read(
        reader,
        [...partitions.keys()].map((topic) => this.#shelves.get(topic)!),
      ),
    );
  }

  async #read(reader: Reader, shelves: readonly Shelf[]): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const except = new Set<string>();
      for (const shelf of shelves) if (shelf.blocked !== undefined || this.#full(shelf)) except.add(shelf.topic);
      if (except.size === shelves.length) {
        await new Promise<void>((resolve) => this.#room.set(reader, resolve));
        continue;
      }
      try {
        const { messagesPerTopic: messages, bytesPerTopic: bytes } = this.#limits;
        const fetch = except.size === 0 ? signal : this.#partial(reader);
        const fetched = await reader.fetch({ messages, bytes, waitMs: fetchWaitMs, except }, fetch);
        // A wait that was ended early says nothing: what was known of ends before it holds on.
        if (!fetch.aborted || fetched.messages.length > 0) this.#put(fetched, shelves, except);
      } catch (error) {
        if (!(await this.#mayRetry(error, shelves))) return;
      }
    }
  }

  /** The signal for a fetch without some topics: its wait ends as soon as one of them has room again. */
  #partial(reader: Reader): AbortSignal {
    const controller = new AbortController();
    this.#room.set(reader, () => controller.abort());
    return controller.signal;
  }

  async #mayRetry(error: unknown, shelves: readonly Shelf[]): Promise<boolean> {
    const { signal } = this.#stop;
    if (signal.aborted) return false;
    if (codeOf(error) !== "TRANSPORT_UNAVAILABLE") {
      const failed =
        error instanceof WaybillError
          ? error
          : new WaybillError("TRANSPORT_UNAVAILABLE", messageOf(error), { cause: error });
      this.#onFailed(failed);
      return false;
    }
    for (const shelf of shelves) shelf.away = true;
    this.#bell.ring();
    await this.#world.sleep(retryAfterMs, signal);
    return true;
  }

  #put(fetched: Fetched, shelves: readonly Shelf[], except: ReadonlySet<string>): void {
    const grown = new Set<Shelf>();
    const nowMs = this.#nowMs();
    for (const message of fetched.messages) {
      const shelf = this.#shelves.get(message.topic)!;
      if (shelf.blocked !== undefined) continue;
      shelve(shelf, message, nowMs);
      grown.add(shelf);
    }
    for (const shelf of grown) sortByTime(shelf);
    const covered = except.size === 0 ? shelves : shelves.filter(({ topic }) => !except.has(topic));
    this.#heard(covered, fetched.atEnd, nowMs);
    for (const shelf of shelves) shelf.away = false;
    for (const position of fetched.next) this.#shelves.get(position.topic)!.next.set(position.partition, position);
    this.#bell.ring();
  }

  /** Notes which partitions are read to their end. Most fetches find all of them so, as the one before did. */
  #heard(covered: readonly Shelf[], atEnd: readonly TopicPartition[], nowMs: number): void {
    const partitions = covered.reduce((sum, { streams }) => sum + streams.size, 0);
    for (const shelf of covered) shelf.heardMs = nowMs;
    const all = atEnd.length >= partitions;
    if (all && covered.every(({ ended }) => ended)) return;
    for (const shelf of covered) for (const stream of shelf.streams.values()) stream.atEnd = false;
    for (const { topic, partition } of atEnd) this.#shelves.get(topic)!.streams.get(partition)!.atEnd = true;
    for (const shelf of covered) {
      shelf.unfetched = [...shelf.streams.values()].filter(isUnfetched).length;
      shelf.ended = ![...shelf.streams.values()].some((stream) => !stream.atEnd);
    }
  }

  /**
   * Takes up to `limit` messages, the earliest published first, and no further than it is known what comes next: a
   * topic that has more than was fetched is waited for.
   */
  take(limit: number, bytes: number): StoredMessage[] {
    const taken: StoredMessage[] = [];
    let left = bytes;
    while (taken.length < limit && left > 0) {
      const shelf = this.#earliest();
      if (shelf === undefined) break;
      const { message, bytes: size, timeMs } = shelf.queue[shelf.head++]!;
      shelf.bytes -= size;
      left -= size;
      const stream = shelf.streams.get(message.partition)!;
      stream.waiting -= 1;
      stream.takenMs = Math.max(stream.takenMs, timeMs);
      if (isUnfetched(stream)) shelf.unfetched += 1;
      taken.push(message);
    }
    if (taken.length > 0) this.#tidy();
    return taken;
  }

  #earliest(): Shelf | undefined {
    let earliest: Shelf | undefined;
    for (const shelf of this.#shelves.values()) {
      if (shelf.blocked !== undefined) continue;
      if (!shelf.away && !this.#full(shelf) && shelf.unfetched > 0) return undefined;
      if (shelf.head === shelf.queue.length) continue;
      if (earliest === undefined || headMs(shelf) < headMs(earliest)) earliest = shelf;
    }
    return earliest;
  }

  /** Forgets what was taken, and lets readers go on that waited for room. */
  #tidy(): void {
    for (const shelf of this.#shelves.values()) {
      if (shelf.head === 0) continue;
      shelf.queue = shelf.head === shelf.queue.length ? [] : shelf.queue.slice(shelf.head);
      shelf.head = 0;
    }
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const room of this.#room.values()) room();
    this.#room.clear();
  }

  /**
   * The time up to which everything has been read: the store's clock when all topics are read to their ends, else the
   * publish time of the earliest message not handled yet. A partition whose end is not known holds it back.
   */
  timeMs(nowMs: number): number {
    let time = nowMs;
    for (const shelf of this.#shelves.values()) {
      const open = shelf.away || shelf.blocked !== undefined;
      if (shelf.head < shelf.queue.length) time = Math.min(time, headMs(shelf));
      // After a pause of the whole process an end that was reached before it is none any more.
      else if (!open) time = Math.min(time, shelf.heardMs + endKnownMs);
      if (!open && shelf.unfetched === 0) continue;
      for (const stream of shelf.streams.values()) {
        if (stream.waiting === 0 && (open || !stream.atEnd)) time = Math.min(time, stream.takenMs);
      }
    }
    return time;
  }

  /** Positions of the topics of which everything fetched was taken: also past what is not a message of this lane. */
  moved(): Position[] {
    const moved: Position[] = [];
    for (const shelf of this.#shelves.values()) {
      if (shelf.head < shelf.queue.length || shelf.blocked !== undefined) continue;
      moved.push(...shelf.next.values());
      shelf.next.clear();
    }
    return moved;
  }

  /** Reads no further in a topic, and drops what was fetched of it. */
  block(topic: string, error: WaybillError): void {
    const shelf = this.#shelves.get(topic)!;
    shelf.blocked ??= error;
    shelf.queue = [];
    shelf.head = 0;
    shelf.bytes = 0;
    for (const stream of shelf.streams.values()) stream.waiting = 0;
  }

  get blocked(): readonly { readonly topic: string; readonly error: WaybillError }[] {
    return [...this.#shelves.values()].flatMap(({ topic, blocked }) =>
      blocked === undefined ? [] : [{ topic, error: blocked }],
    );
  }

  /** Topics whose broker cannot be reached. */
  get away(): readonly string[] {
    return [...this.#shelves.values()].filter((shelf) => shelf.away).map((shelf) => shelf.topic);
  }

  #full(shelf: Shelf): boolean {
    return (
      shelf.queue.length - shelf.head >= this.#limits.messagesPerTopic || shelf.bytes >= this.#limits.bytesPerTopic
    );
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#makeRoom();
    await Promise.all(this.#loops);
    await Promise.all(this.#readers.map((reader) => reader[Symbol.asyncDispose]()));
  }
}

/** A message that claims to come from the future is taken to be as old as the one in front of it. */
function shelve(shelf: Shelf, message: StoredMessage, nowMs: number): void {
  const stream = shelf.streams.get(message.partition)!;
  if (message.atMs <= nowMs) stream.fetchedMs = Math.max(stream.fetchedMs, message.atMs);
  const bytes = bodyBytes(message.body);
  shelf.queue.push({ message, bytes, timeMs: Math.min(message.atMs, stream.fetchedMs) });
  shelf.bytes += bytes;
  stream.waiting += 1;
}
