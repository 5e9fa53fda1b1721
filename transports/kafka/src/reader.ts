import type { Fetched, FetchLimits, Position, Reader, StoredMessage, TopicPartition } from "@waybill/messaging";
import { Channel, fetchNow, type Answer } from "./channel.ts";
import type { Cluster } from "./cluster.ts";
import { Cursor, type Room } from "./cursor.ts";
import { asWaybillError, closed, nameOfError } from "./errors.ts";
import { earliest, latest, offsetsAt, whileElecting } from "./offsets.ts";

/** The longest wait that a broker is asked for. */
const pollMs = 5_000;
/** The same while a topic is left out, which must not have to wait for long when it comes back. */
const partialPollMs = 200;
/** How soon a leader is looked for again. */
const lookMs = 50;
const bytesMin = 65_536;
const bytesMax = 8_388_608;

/** What a broker says of a partition that moves or will be there in a moment. */
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

let readers = 0;

/**
 * A reader over partitions, by their leaders. A partition that is read to its end is waited for at its broker, by one
 * fetch that covers all such partitions; its answer is kept even if nobody waits for it any more. What was fetched and not
 * taken is kept as bytes, and its partition is not fetched from until they are taken.
 */
export class KafkaReader implements Reader {
  readonly #cluster: Cluster;
  readonly #id = readers++;
  readonly #cursors: readonly Cursor[];
  readonly #all: readonly TopicPartition[];
  readonly #channels = new Map<number, Channel>();
  /** The brokers of which something is asked on the shared connection. */
  readonly #asking = new Set<number>();
  readonly #settling = new Set<string>();
  #call = 0;
  #first = 0;
  #atEnd = -1;
  #lostSinceMs: number | undefined;
  #locating = false;
  #trouble: unknown;
  #closed = false;
  #ring: (() => void) | undefined;

  readonly #onClosed: () => void;

  constructor(cluster: Cluster, from: readonly Position[], onClosed: () => void) {
    this.#cluster = cluster;
    this.#onClosed = onClosed;
    this.#all = from.map(({ topic, partition }) => ({ topic, partition }));
    this.#cursors = from.map((position) => new Cursor(position));
  }

  async fetch(limits: FetchLimits, signal: AbortSignal): Promise<Fetched> {
    const untilMs = performance.now() + limits.waitMs;
    const call = ++this.#call;
    const wanted = this.#wanted(limits.except);
    for (;;) {
      this.#alive();
      this.#refuse(wanted);
      const leftMs = untilMs - performance.now();
      const holds = wanted.some((cursor) => cursor.holds);
      if (!signal.aborted) this.#ask(wanted, { bytes: limits.bytes, waits: limits.waitMs > 0 && !holds, call });
      const fetched = this.#take(wanted, limits);
      // That a reader has come to an end is news as well: it tells how far time has got.
      const news = fetched.messages.length > 0 || fetched.next.length > 0 || fetched.atEnd.length !== this.#atEnd;
      // One that may not wait for news waits for the brokers' word that there is none.
      const owed = limits.waitMs === 0 && fetched.messages.length === 0 && wanted.some(({ toldBy }) => toldBy < call);
      if (signal.aborted || (!owed && (news || leftMs <= 0))) {
        this.#atEnd = fetched.atEnd.length;
        return fetched;
      }
      this.#throwTrouble();
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

  #refuse(wanted: readonly Cursor[]): void {
    for (const { failure } of wanted) if (failure !== undefined) throw failure;
  }

  #throwTrouble(): void {
    const trouble = this.#trouble;
    if (trouble === undefined) return;
    this.#trouble = undefined;
    throw asWaybillError(trouble, "Kafka cannot be read from");
  }

  /** Asks the brokers for what is not there yet. */
  #ask(wanted: readonly Cursor[], how: { bytes: number; waits: boolean; call: number }): void {
    this.#locate(wanted);
    const byLeader = Map.groupBy(this.#cursors, ({ leader }) => leader);
    for (const [leader, cursors] of byLeader) {
      if (leader < 0) continue;
      const ready = cursors.filter((cursor) => !cursor.holds && !cursor.doubtful && cursor.failure === undefined);
      const asked = ready.filter((cursor) => wanted.includes(cursor));
      if (asked.length > 0) this.#askLeader(leader, ready, asked, how);
    }
  }

  #askLeader(
    leader: number,
    ready: readonly Cursor[],
    wanted: readonly Cursor[],
    { bytes, waits, call }: { bytes: number; waits: boolean; call: number },
  ): void {
    const channel = this.#channelOf(leader);
    const room = Math.min(Math.max(bytes, bytesMin), bytesMax);
    if (waits && !channel.busy && wanted.every(({ atEnd }) => atEnd)) {
      // What a topic that is left out gets meanwhile is kept for it.
      const complete = ready.length === this.#cursors.filter((cursor) => cursor.leader === leader).length;
      this.#run(leader, channel.fetch(ready, complete ? pollMs : partialPollMs, room), 0);
      return;
    }
    if (this.#asking.has(leader)) return;
    const now = wanted.filter((cursor) => (waits ? !channel.covers(cursor) && !cursor.atEnd : cursor.toldBy < call));
    if (now.length === 0) return;
    this.#asking.add(leader);
    const turned = now.map((_, at) => now[(at + call) % now.length]!);
    this.#run(leader, fetchNow(this.#cluster, leader, turned, room), call, () => this.#asking.delete(leader));
  }

  #channelOf(leader: number): Channel {
    let channel = this.#channels.get(leader);
    if (channel === undefined) {
      channel = new Channel(this.#cluster, leader, this.#id);
      this.#channels.set(leader, channel);
    }
    return channel;
  }

  #run(leader: number, fetching: Promise<Answer[]>, call: number, after?: () => void): void {
    void fetching
      .then(
        (answers) => {
          after?.();
          for (const answer of answers) this.#apply(answer, call);
        },
        (error: unknown) => {
          after?.();
          this.#lost(leader, error);
        },
      )
      .finally(() => this.#ring?.());
  }

  #apply({ cursor, part, askedOffset }: Answer, call: number): void {
    const error = nameOfError(part.errorCode);
    if (error === "NONE") {
      try {
        if (cursor.accept(part, askedOffset)) cursor.toldBy = Math.max(cursor.toldBy, call);
      } catch (damage) {
        this.#trouble = damage;
      }
      if (cursor.doubtful) this.#settle(cursor.topic);
      return;
    }
    if (askedOffset !== cursor.offset || cursor.holds) return;
    if (error === "OFFSET_OUT_OF_RANGE") {
      cursor.doubtful = true;
      this.#settle(cursor.topic);
    } else if (moving.has(error)) {
      this.#cluster.forget(cursor.topic);
      cursor.leader = -1;
    } else this.#trouble = cursor.unreachable(`Kafka says ${error}`);
  }

  #lost(leader: number, error: unknown): void {
    if (this.#closed) return;
    this.#trouble = error;
    for (const cursor of this.#cursors) {
      if (cursor.leader !== leader) continue;
      cursor.lose();
      this.#cluster.forget(cursor.topic);
    }
  }

  /** Looks where partitions are whose leader is not known. */
  #locate(wanted: readonly Cursor[]): void {
    const lost = wanted.filter((cursor) => cursor.leader < 0 && cursor.failure === undefined);
    if (lost.length === 0) this.#lostSinceMs = undefined;
    if (lost.length === 0 || this.#locating) return;
    this.#locating = true;
    const topics = [...Map.groupBy(lost, ({ topic }) => topic)];
    void Promise.all(topics.map(([topic, cursors]) => this.#locateTopic(topic, cursors))).finally(() => {
      this.#complain(lost);
      setTimeout(
        () => {
          this.#locating = false;
          this.#ring?.();
        },
        lost.some(({ leader, failure }) => leader < 0 && failure === undefined) ? lookMs : 0,
      );
      this.#ring?.();
    });
  }

  async #locateTopic(topic: string, cursors: readonly Cursor[]): Promise<void> {
    try {
      const place = await this.#cluster.topic(topic);
      const other = cursors.some(({ position }) => position.logId !== "" && position.logId !== place.id);
      const sure = other ? await this.#cluster.look(topic) : place;
      for (const cursor of cursors) cursor.locate(sure);
      if (cursors.some(({ leader }) => leader < 0)) this.#cluster.forget(topic);
    } catch (error) {
      const failure = asWaybillError(error, "Kafka cannot be read from");
      if (failure.code === "TRANSPORT_UNAVAILABLE") this.#trouble = failure;
      else for (const cursor of cursors) cursor.fail(failure);
    }
  }

  /** A partition without a leader is waited for, but not silently. */
  #complain(lost: readonly Cursor[]): void {
    const still = lost.find(({ leader, failure }) => leader < 0 && failure === undefined);
    if (still === undefined) return;
    this.#lostSinceMs ??= performance.now();
    if (performance.now() - this.#lostSinceMs < this.#cluster.requestMs) return;
    this.#lostSinceMs = undefined;
    this.#trouble ??= still.unreachable("it has no leader");
  }

  /** Looks where a topic's partitions begin and end, for those whose offset is not in their log. */
  #settle(topic: string): void {
    if (this.#settling.has(topic)) return;
    this.#settling.add(topic);
    void this.#settleTopic(topic)
      .catch((error: unknown) => {
        this.#trouble = error;
        for (const cursor of this.#cursors) if (cursor.topic === topic) cursor.doubtful = false;
      })
      .finally(() => {
        this.#settling.delete(topic);
        this.#ring?.();
      });
  }

  async #settleTopic(topic: string): Promise<void> {
    await whileElecting(this.#cluster, topic, async (place) => {
      const first = await offsetsAt(this.#cluster, place, earliest);
      const next = await offsetsAt(this.#cluster, place, latest);
      for (const cursor of this.#cursors) {
        if (cursor.topic !== topic || !cursor.doubtful) continue;
        cursor.locate(place);
        cursor.settle(first.get(cursor.partition) ?? 0, next.get(cursor.partition) ?? 0);
      }
    });
  }

  #take(wanted: readonly Cursor[], limits: FetchLimits): Fetched {
    const messages: StoredMessage[] = [];
    const ready = wanted.filter((cursor) => cursor.holds);
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
      this.#trouble ??= ready[(at + first) % ready.length]!.take(messages, share);
      room.messages -= before.messages - share.messages;
      room.bytes -= before.bytes - share.bytes;
    }
    for (const cursor of ready) this.#trouble ??= cursor.take(messages, room);
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
