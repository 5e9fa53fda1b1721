import { WaybillError } from "../errors.ts";
import { Bell } from "../lane/wake.ts";
import type { Position, StoredMessage, TopicPartition } from "../message.ts";
import type { Fetched, FetchLimits, Reader, Transport } from "../transport.ts";
import type { Feeds } from "./feeds.ts";
import { OwnReading } from "./own-reading.ts";
import { bring, fits, Place, throwFailure, type Bringing } from "./place.ts";

/** Within this time whatever was asked has answered: no clock of its own is needed to wait for as long. */
const answerMs = 9_000;

/** Reads topics along with others where it has caught up with them, and the rest by itself. */
export class SharedReader implements Reader {
  readonly #transport: Transport;
  readonly #feeds: Feeds;
  readonly #places: ReadonlyMap<string, Place>;
  readonly #bell = new Bell();
  readonly #hear = (): void => {
    this.#hasNews = true;
    this.#bell.ring();
  };
  /** Reads the places that are in no feed. */
  #own: OwnReading;
  #turn = 0;
  #hasNews = false;
  #closed = false;

  constructor(from: readonly Position[], transport: Transport, feeds: Feeds) {
    this.#transport = transport;
    this.#feeds = feeds;
    const topics = Map.groupBy(from, ({ topic }) => topic);
    this.#places = new Map(Array.from(topics, ([topic, positions]) => [topic, new Place(topic, positions)]));
    feeds.count(from, 1);
    this.#own = new OwnReading(transport, from, this.#hear);
  }

  async fetch(limits: FetchLimits, signal: AbortSignal): Promise<Fetched> {
    this.#open();
    if (limits.waitMs === 0) return this.#fetchNow(limits, signal);
    const { world } = this.#feeds;
    const untilMs = world.monotonicMs() + limits.waitMs;
    while (!signal.aborted) {
      this.#part();
      this.#join();
      await this.#arrange();
      const hasNews = this.#hasNews;
      this.#hasNews = false;
      const fetched = this.#take(limits);
      const leftMs = untilMs - world.monotonicMs();
      if (fetched.messages.length > 0 || fetched.next.length > 0 || hasNews || leftMs <= 0) return fetched;
      this.#ask(limits);
      await this.#wait(leftMs, signal);
      this.#open();
    }
    return { messages: [], next: [], atEnd: [] };
  }

  /** Without waiting only the log itself can say that there is nothing. */
  async #fetchNow(limits: FetchLimits, signal: AbortSignal): Promise<Fetched> {
    for (const place of this.#places.values()) this.#leave(place);
    await this.#own.settle();
    await this.#arrange();
    this.#open();
    await this.#own.now(limits, signal);
    return this.#take(limits);
  }

  #open(): void {
    if (this.#closed) throw new WaybillError("CLOSED", "The reader is closed.");
  }

  /** Leaves feeds that no longer hold what comes next. */
  #part(): void {
    for (const place of this.#places.values()) if (place.hasFallen) this.#leave(place);
  }

  #leave(place: Place): void {
    const { tap, topic } = place;
    if (tap === undefined) return;
    place.tap = undefined;
    place.ended = new Set();
    this.#feeds.leave(topic, tap.feed, tap);
  }

  /** Joins the feeds of topics that it has read to their ends. */
  #join(): void {
    if (!this.#own.isDrained || this.#own.hasFailed) return;
    for (const place of this.#places.values()) {
      if (place.tap !== undefined || !place.isAtEnd) continue;
      const feed = this.#feeds.reaching(place.topic, place.positions, this.#hear);
      if (feed !== undefined) place.join(feed, this.#hear);
    }
  }

  /** Begins its own reading anew where it reads other topics by itself than before. */
  async #arrange(): Promise<void> {
    const alone = [...this.#places.values()].filter(({ tap }) => tap === undefined);
    const { topics } = this.#own;
    if (alone.length === topics.size && alone.every(({ topic }) => topics.has(topic))) return;
    await this.#own.settle();
    // What it brought is taken first; the next call gets here again. A reader that was closed meanwhile begins nothing anew.
    if (!this.#own.isIdle || this.#closed) return;
    const former = this.#own;
    const from = alone.flatMap(({ positions }) => [...positions]);
    this.#own = new OwnReading(this.#transport, from, this.#hear);
    await former.close();
  }

  /** What is ready, beginning with another topic each time. Throws, and has taken nothing then, where a broker failed. */
  #take(limits: FetchLimits): Fetched {
    this.#own.throwFailure();
    for (const { topic, tap } of this.#places.values()) if (limits.except?.has(topic) !== true) throwFailure(tap);
    const bringing: Bringing = { messages: [], room: { messages: limits.messages, bytes: limits.bytes } };
    const wanted = [...this.#places.values()].filter(({ topic }) => limits.except?.has(topic) !== true);
    const isOwnFirst = this.#turn++ % 2 === 0;
    if (isOwnFirst) this.#takeOwn(bringing, limits.except);
    for (let at = 0; at < wanted.length; at++) {
      const place = wanted[(at + this.#turn) % wanted.length]!;
      if (place.tap !== undefined && !place.hasFallen) place.takeAlong(bringing);
    }
    if (!isOwnFirst) this.#takeOwn(bringing, limits.except);
    const next: Position[] = [];
    const atEnd: TopicPartition[] = [];
    for (const place of this.#places.values()) place.tellMoved(next);
    // What is left of one topic, for which there is no room, hides nothing of the others.
    for (const place of wanted) if (place.tap !== undefined || !this.#own.holds(place.topic)) place.tellAtEnd(atEnd);
    return { messages: bringing.messages, next, atEnd };
  }

  /** Takes what its own reading brought. */
  #takeOwn(bringing: Bringing, except: FetchLimits["except"]): void {
    const own = this.#own;
    const { fetched } = own;
    const left: StoredMessage[] = [];
    let isFull = false;
    for (const message of own.left) {
      const place = this.#placeOf(message.topic, own);
      if (place === undefined) continue;
      isFull ||= !fits(message, bringing);
      if (isFull || except?.has(message.topic) === true) left.push(message);
      else {
        place.took(message);
        bring(message, bringing);
      }
    }
    own.keep(left);
    for (const position of fetched.next) {
      if (!own.holds(position.topic)) this.#placeOf(position.topic, own)?.moved(position);
    }
    // An answer that says nothing at all is that of a fetch which was ended early.
    if (fetched.messages.length + fetched.next.length + fetched.atEnd.length === 0) return;
    const ended = Map.groupBy(fetched.atEnd, ({ topic }) => topic);
    for (const topic of own.asked) {
      const place = own.holds(topic) ? undefined : this.#placeOf(topic, own);
      if (place !== undefined) place.ended = new Set(ended.get(topic)?.map(({ partition }) => partition));
    }
  }

  /** The place of a topic, unless it is read along by now. */
  #placeOf(topic: string, own: OwnReading): Place | undefined {
    const place = this.#places.get(topic);
    return own.topics.has(topic) && place?.tap === undefined ? place : undefined;
  }

  #ask(limits: FetchLimits): void {
    this.#own.ask(limits);
    for (const { topic, tap } of this.#places.values()) {
      if (limits.except?.has(topic) !== true) tap?.feed.want();
    }
  }

  /** Until something is heard, the time is over, or the signal is aborted. */
  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const ring = (): void => this.#bell.ring();
    signal.addEventListener("abort", ring);
    if (ms >= answerMs) await this.#bell.wait();
    else {
      const over = new AbortController();
      const end = (): void => {
        if (!over.signal.aborted) ring();
      };
      void this.#feeds.world.sleep(ms, over.signal).then(end, end);
      await this.#bell.wait();
      over.abort();
    }
    signal.removeEventListener("abort", ring);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const place of this.#places.values()) this.#feeds.count(place.positions, -1);
    for (const place of this.#places.values()) this.#leave(place);
    this.#bell.ring();
    await this.#own.close();
  }
}
