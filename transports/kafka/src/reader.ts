import {
  codeOf,
  type Fetched,
  type FetchLimits,
  type Position,
  type Reader,
  type StoredMessage,
  type TopicPartition,
} from "@waybill/messaging";
import { Channel, fetchNow, type Answer } from "./channel.ts";
import type { Cluster } from "./cluster.ts";
import { Cursor, type Room } from "./cursor.ts";
import { asWaybillError, closed, nameOfError } from "./errors.ts";
import { Whereabouts } from "./whereabouts.ts";

/** The longest wait that a broker is asked for. */
const pollMs = 5_000;
/** The same while a topic is left out, which must not have to wait for long when it comes back. */
const partialPollMs = 200;
const bytesMin = 65_536;
const bytesMax = 8_388_608;

/** What a broker says of a partition that moves, or will be there in a moment. */
const moving = new Set([
  "NOT_LEADER_OR_FOLLOWER",
  "LEADER_NOT_AVAILABLE",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "UNKNOWN_TOPIC_OR_PARTITION",
  "UNKNOWN_TOPIC_ID",
  "INCONSISTENT_TOPIC_ID",
  "OFFSET_NOT_AVAILABLE",
  "KAFKA_STORAGE_ERROR",
]);

/** One call of `fetch`. */
interface Call {
  readonly number: number;
  readonly limits: FetchLimits;
  readonly wanted: readonly Cursor[];
}

let readers = 0;

/**
 * A reader over partitions, by their leaders. Partitions that are read to their end are waited for at their broker by one
 * fetch for all of them; its answer is kept even if nobody waits for it any more. What was fetched and not taken is kept as
 * bytes, and its partition is not fetched from until they are taken.
 */
export class KafkaReader implements Reader {
  readonly #cluster: Cluster;
  readonly #onClosed: () => void;
  readonly #id = readers++;
  readonly #cursors: readonly Cursor[];
  readonly #all: readonly TopicPartition[];
  readonly #whereabouts: Whereabouts;
  readonly #channels = new Map<number, Channel>();
  /** The brokers of which something is asked on the connection that readers share. */
  readonly #asking = new Set<number>();
  #calls = 0;
  #first = 0;
  #atEnd = -1;
  #closed = false;
  #ring: (() => void) | undefined;

  constructor(cluster: Cluster, from: readonly Position[], onClosed: () => void) {
    this.#cluster = cluster;
    this.#onClosed = onClosed;
    this.#all = from.map(({ topic, partition }) => ({ topic, partition }));
    this.#cursors = from.map((position) => new Cursor(position));
    this.#whereabouts = new Whereabouts(cluster, this.#cursors, () => this.#ring?.());
  }

  async fetch(limits: FetchLimits, signal: AbortSignal): Promise<Fetched> {
    const untilMs = performance.now() + limits.waitMs;
    const wanted = this.#wanted(limits.except);
    const call = { number: ++this.#calls, limits, wanted };
    for (;;) {
      this.#alive();
      for (const { failure } of wanted) if (failure !== undefined) throw failure;
      if (!signal.aborted) this.#ask(call);
      const fetched = this.#take(call);
      const leftMs = untilMs - performance.now();
      const brings = fetched.messages.length > 0 || fetched.next.length > 0;
      const trouble = brings || signal.aborted ? undefined : this.#whereabouts.takeTrouble();
      if (trouble !== undefined) {
        // Whoever is told this believes no end any more: the next time that one is known is news.
        this.#atEnd = -1;
        throw asWaybillError(trouble, "Kafka cannot be read from");
      }
      // That a reader has come to an end is news as well: it tells how far time has got.
      const news = brings || fetched.atEnd.length !== this.#atEnd;
      const owed = this.#isOwed(call, fetched);
      if (signal.aborted || (!owed && (news || leftMs <= 0))) {
        this.#atEnd = fetched.atEnd.length;
        return fetched;
      }
      await this.#wait(owed ? this.#cluster.requestMs : leftMs, signal);
    }
  }

  #wanted(except: ReadonlySet<string> | undefined): readonly Cursor[] {
    if (except === undefined || except.size === 0) return this.#cursors;
    return this.#cursors.filter((cursor) => !except.has(cursor.topic));
  }

  #alive(): void {
    this.#cluster.alive();
    if (this.#closed) throw closed("reader");
  }

  /** A call that may not wait for news waits for the brokers' word that there is none. */
  #isOwed({ number, limits, wanted }: Call, { messages }: Fetched): boolean {
    return limits.waitMs === 0 && messages.length === 0 && wanted.some(({ toldBy }) => toldBy < number);
  }

  /** Asks the brokers for what is not there yet. */
  #ask(call: Call): void {
    this.#whereabouts.find(call.wanted);
    const mayWait = call.limits.waitMs > 0 && !call.wanted.some(({ holds }) => holds);
    for (const [leader, cursors] of this.#whereabouts.byLeader) {
      const ready = cursors.filter(isReady);
      if (ready.length > 0 && !(mayWait && this.#poll(leader, cursors, ready, call))) {
        this.#askNow(leader, ready, mayWait, call);
      }
    }
  }

  /**
   * Waits at a broker for something new, if everything wanted of it is read to its end. Topics that are left out are waited
   * for as well: what comes is kept for them. False: there is something to ask for at once.
   */
  #poll(leader: number, cursors: readonly Cursor[], ready: readonly Cursor[], { limits }: Call): boolean {
    const channel = this.#channelOf(leader);
    const isWanted = (cursor: Cursor): boolean => limits.except?.has(cursor.topic) !== true;
    if (channel.busy) return ready.every((cursor) => channel.covers(cursor) || cursor.atEnd || !isWanted(cursor));
    if (!ready.some(isWanted)) return true;
    if (!ready.every((cursor) => cursor.atEnd || !isWanted(cursor))) return false;
    const waitMs = ready.length === cursors.length ? pollMs : partialPollMs;
    this.#run(leader, channel.fetch(ready, waitMs, roomOf(limits, this.#whereabouts.byLeader.size)), 0);
    return true;
  }

  /** Asks on the shared connection for what there is now. */
  #askNow(leader: number, ready: readonly Cursor[], mayWait: boolean, { limits, number }: Call): void {
    if (this.#asking.has(leader)) return;
    const channel = this.#channels.get(leader);
    const now = ready.filter((cursor) => {
      if (limits.except?.has(cursor.topic) === true) return false;
      return mayWait ? !cursor.atEnd && channel?.covers(cursor) !== true : cursor.toldBy < number;
    });
    if (now.length === 0) return;
    this.#asking.add(leader);
    // A broker fills its answer in the order of the question.
    const turned = now.map((_, at) => now[(at + number) % now.length]!);
    const room = roomOf(limits, this.#whereabouts.byLeader.size);
    const asking = fetchNow(this.#cluster, leader, turned, room).finally(() => this.#asking.delete(leader));
    this.#run(leader, asking, number);
  }

  #channelOf(leader: number): Channel {
    let channel = this.#channels.get(leader);
    if (channel === undefined) {
      channel = new Channel(this.#cluster, leader, this.#id);
      this.#channels.set(leader, channel);
    }
    return channel;
  }

  #run(leader: number, fetching: Promise<Answer[]>, call: number): void {
    void fetching
      .then(
        (answers) => {
          for (const answer of answers) this.#apply(answer, call);
        },
        (error: unknown) => {
          if (!this.#closed && codeOf(error) !== "CLOSED") this.#whereabouts.lost(leader, error);
        },
      )
      .finally(() => this.#ring?.());
  }

  #apply({ cursor, part, askedOffset }: Answer, call: number): void {
    const error = nameOfError(part.errorCode);
    if (cursor.holds || askedOffset !== cursor.offset) return;
    if (error === "NONE") this.#accept(cursor, part, call);
    else if (error === "OFFSET_OUT_OF_RANGE") cursor.doubtful = true;
    else if (moving.has(error)) this.#whereabouts.moved(cursor);
    else this.#whereabouts.note(cursor.unreachable(`Kafka says ${error}`));
    if (cursor.doubtful) this.#whereabouts.settle(cursor.topic);
  }

  #accept(cursor: Cursor, part: Answer["part"], call: number): void {
    try {
      if (cursor.accept(part)) cursor.toldBy = Math.max(cursor.toldBy, call);
    } catch (damage) {
      this.#whereabouts.note(damage);
    }
  }

  #take({ wanted, limits }: Call): Fetched {
    const messages: StoredMessage[] = [];
    const ready = wanted.filter(({ holds }) => holds);
    if (ready.length > 0) this.#share(ready, messages, { messages: limits.messages, bytes: limits.bytes });
    const next: Position[] = [];
    for (const cursor of wanted) cursor.tellMoved(next);
    return { messages, next, atEnd: this.#ended(wanted) };
  }

  /** Gives each partition its share of the room, beginning with another one each time, and then what others left over. */
  #share(ready: readonly Cursor[], messages: StoredMessage[], room: Room): void {
    const first = this.#first++;
    for (let at = 0; at < ready.length; at++) {
      const left = ready.length - at;
      const share = { messages: Math.ceil(room.messages / left), bytes: Math.ceil(room.bytes / left) };
      const before = { ...share };
      this.#whereabouts.note(ready[(at + first) % ready.length]!.take(messages, share));
      room.messages -= before.messages - share.messages;
      room.bytes -= before.bytes - share.bytes;
    }
    for (const cursor of ready) if (room.messages > 0) this.#whereabouts.note(cursor.take(messages, room));
  }

  /** The partitions read to their end; mostly all of them, and then always the same list. */
  #ended(wanted: readonly Cursor[]): readonly TopicPartition[] {
    if (wanted === this.#cursors && wanted.every(({ atEnd }) => atEnd)) return this.#all;
    return wanted.filter(({ atEnd }) => atEnd).map(({ topic, partition }) => ({ topic, partition }));
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const ring = (): void => {
        this.#ring = undefined;
        clearTimeout(timer);
        signal.removeEventListener("abort", ring);
        resolve();
      };
      this.#ring = ring;
      const timer = setTimeout(ring, Math.min(ms, 86_400_000));
      signal.addEventListener("abort", ring);
    });
  }

  /** Ends a wait; the fetch then looks whether it may go on. */
  interrupt(): void {
    this.#ring?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed();
    this.#cluster.release(`poll-${this.#id}`);
    this.#ring?.();
  }
}

function isReady({ holds, doubtful, failure }: Cursor): boolean {
  return !holds && !doubtful && failure === undefined;
}

/** What one of several brokers may send at a time. */
function roomOf({ bytes }: FetchLimits, brokers: number): number {
  return Math.ceil(Math.min(Math.max(bytes / brokers, bytesMin), bytesMax));
}
