import {
  WaybillError,
  type Fetched,
  type FetchLimits,
  type Position,
  type Reader,
  type StoredMessage,
  type TopicPartition,
} from "@waybill/messaging";
import type { Link } from "./link.ts";
import { TopicReader, type Room, type TopicReaderOptions } from "./topic-reader.ts";

/** How often readers look whether their consumers still live. */
const pulseMs = 1_000;

/** A wait of a day is for ever, and more would be none: a timer's limit is 24 days. */
const waitMsMax = 86_400_000;

/** A reader over partitions of several streams. */
export class NatsReader implements Reader {
  readonly #link: Link;
  readonly #topics: readonly TopicReader[];
  readonly #onClosed: (reader: NatsReader) => void;
  readonly #pulse: NodeJS.Timeout;
  readonly #deaf: () => void;
  #turn = 0;
  /** How many partitions were told to be at their end. */
  #atEnd = 0;
  #closed = false;
  #ring: (() => void) | undefined;

  constructor(
    link: Link,
    from: readonly Position[],
    options: Omit<TopicReaderOptions, "onNews" | "link"> & { readonly onClosed: (reader: NatsReader) => void },
  ) {
    this.#link = link;
    this.#onClosed = options.onClosed;
    const onNews = (): void => this.#ring?.();
    this.#topics = [...Map.groupBy(from, (position) => position.topic)].map(
      ([name, positions]) => new TopicReader(name, positions, { ...options, link, onNews }),
    );
    // Whether it is lost or there again: what was asked before will not come.
    this.#deaf = link.onChange(() => {
      for (const topic of this.#topics) topic.interrupt();
    });
    this.#pulse = setInterval(() => {
      for (const topic of this.#topics) topic.checkPulse(performance.now());
    }, pulseMs);
    this.#pulse.unref();
  }

  async fetch(limits: FetchLimits, signal: AbortSignal): Promise<Fetched> {
    const untilMs = performance.now() + limits.waitMs;
    const wanted = this.#topics.filter(({ name }) => limits.except?.has(name) !== true);
    let confirmed = wanted.length === 0;
    for (;;) {
      this.#open();
      if (signal.aborted) return { messages: [], next: [], atEnd: [] };
      await start(wanted);
      if (!confirmed && this.#mustConfirm(wanted, limits, untilMs)) {
        await Promise.all(wanted.map((topic) => topic.confirm()));
        confirmed = true;
      }
      for (const topic of wanted) await topic.confirmKept();
      this.#open();
      const messages = this.#take(wanted, limits);
      const ended = wanted.every((topic) => topic.ended);
      const leftMs = untilMs - performance.now();
      const isOver = ended && leftMs <= 0 && confirmed;
      if (messages.length > 0 || isOver || (limits.waitMs > 0 && this.#hasNews(wanted)))
        return this.#tell(wanted, messages);
      if (!wanted.every((topic) => topic.running)) {
        confirmed = false;
        continue;
      }
      // Where the end was not reached, something was announced and is on its way.
      const covered = coveredBy(wanted);
      const rung = await this.#wait(ended ? leftMs : this.#link.timeoutMs, signal);
      if (!rung && !ended && coveredBy(wanted) === covered) this.#giveUp(wanted);
      if (!rung || !ended) confirmed = false;
    }
  }

  /**
   * An answer that there is nothing is always one that the servers have just given. In between, a fetch that may wait
   * believes what came with the last message: that nothing is behind it.
   */
  #mustConfirm(wanted: readonly TopicReader[], limits: FetchLimits, untilMs: number): boolean {
    const hasMore = wanted.some((topic) => topic.hasMore);
    const isUnsure = wanted.some((topic) => !topic.certain);
    if (limits.waitMs === 0) return (!hasMore && isUnsure) || wanted.some((topic) => topic.ended);
    return !hasMore && (isUnsure || performance.now() >= untilMs);
  }

  /** That positions moved, or that another number of partitions is at its end: it tells how far time has got. */
  #hasNews(wanted: readonly TopicReader[]): boolean {
    return wanted.some((topic) => topic.hasMoved()) || atEndOf(wanted).length !== this.#atEnd;
  }

  #tell(wanted: readonly TopicReader[], messages: readonly StoredMessage[]): Fetched {
    const next: Position[] = [];
    for (const topic of wanted) topic.tellMoved(next);
    const atEnd = atEndOf(wanted);
    this.#atEnd = atEnd.length;
    return { messages, next, atEnd };
  }

  #giveUp(wanted: readonly TopicReader[]): never {
    for (const topic of wanted) if (!topic.ended) topic.interrupt();
    throw this.#link.unavailable(`a message that is stored did not come within ${this.#link.timeoutMs} ms`);
  }

  #open(): void {
    if (this.#link.closed) this.#link.alive();
    if (this.#closed) throw new WaybillError("CLOSED", "The reader is closed.");
  }

  #take(wanted: readonly TopicReader[], limits: FetchLimits): readonly StoredMessage[] {
    const messages: StoredMessage[] = [];
    const room: Room = { messages: limits.messages, bytes: limits.bytes };
    const ready = wanted.filter((topic) => topic.hasMore);
    shareOut(ready, this.#turn++, messages, room);
    return messages;
  }

  /** Resolves with true when there is news or the signal is aborted, with false when the time is over. */
  #wait(ms: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(true);
      const end = (rung: boolean): void => {
        this.#ring = undefined;
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        resolve(rung);
      };
      const abort = (): void => end(true);
      this.#ring = () => end(true);
      const timer = setTimeout(() => end(false), Math.min(Math.max(ms, 0), waitMsMax));
      signal.addEventListener("abort", abort);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#pulse);
    this.#deaf();
    for (const topic of this.#topics) topic.close();
    this.#onClosed(this);
    this.#ring?.();
  }
}

function atEndOf(topics: readonly TopicReader[]): TopicPartition[] {
  const atEnd: TopicPartition[] = [];
  for (const topic of topics) topic.tellAtEnd(atEnd);
  return atEnd;
}

function coveredBy(topics: readonly TopicReader[]): number {
  return topics.reduce((sum, topic) => sum + topic.covered, 0);
}

async function start(topics: readonly TopicReader[]): Promise<void> {
  const still = topics.filter((topic) => !topic.running);
  if (still.length > 0) await Promise.all(still.map((topic) => topic.start()));
}

/** Gives each topic its share of the room, beginning with another one each time, and then what others left over. */
function shareOut(ready: readonly TopicReader[], turn: number, messages: StoredMessage[], room: Room): void {
  for (let at = 0; at < ready.length; at++) {
    const left = ready.length - at;
    const share = { messages: Math.ceil(room.messages / left), bytes: Math.ceil(room.bytes / left) };
    const asked = { ...share };
    ready[(at + turn) % ready.length]!.take(messages, share);
    room.messages -= asked.messages - share.messages;
    room.bytes -= asked.bytes - share.bytes;
  }
  for (const topic of ready) if (topic.hasMore) topic.take(messages, room);
}
