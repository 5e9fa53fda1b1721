import type { StoredMessage } from "@waybill/messaging";
import type { StreamInfo } from "@nats-io/jetstream";
import { createInbox, nuid, type Msg, type Subscription } from "@nats-io/transport-node";
import { changed, retentionPassed, settledInfo } from "./compare.ts";
import type { Link } from "./link.ts";
import { deliveryOf, headerBlockOf, messageOf, sizeOf } from "./record.ts";
import type { Streams } from "./streams.ts";
import { partitionIn } from "./subject.ts";

export interface PullerOptions {
  readonly link: Link;
  readonly streams: Streams;
  readonly topic: string;
  readonly logId: string;
  /** Where each of its partitions begins. */
  readonly from: ReadonlyMap<number, number>;
  /** Nobody has read them before: they begin at what is kept when reading begins, whatever that is by then. */
  readonly unread: boolean;
  /** Undefined: the whole stream, and what belongs to other partitions is dropped here. */
  readonly filters: readonly string[] | undefined;
  /** What may lie ready. */
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** The largest record of the stream. */
  readonly recordMax: number;
  /** Called when there is something new: messages, an end, or a break. */
  readonly onNews: () => void;
}

/** How long a consumer of ours stays when nobody pulls: its process is dead, or its reader was full for that long. */
const inactiveMs = 30_000;
/** How long one request for messages waits at the server. */
const pullMs = 60_000;
/** How often the server says that a request still waits; two that do not come mean that the consumer is gone. */
const heartbeatMs = 2_500;

const nanosPerMs = 1e6;

/**
 * Reads some partitions of one stream, in order and without a gap, through a consumer that lives in the server's memory
 * and is made anew from our own place whenever anything is doubtful. Messages lie ready up to a bound.
 */
export class Puller {
  readonly #options: PullerOptions;
  #queue: StoredMessage[] = [];
  #head = 0;
  #bytes = 0;
  /** How many lie ready, by partition. */
  readonly #ready: number[] = [];
  /** All of ours at or before this sequence was received. */
  #covered: number;
  #last: { readonly partition: number; readonly offset: number; readonly id: string } | undefined;
  /** How many messages of ours are still to come, as the server said last; undefined when that is not known. */
  #pending: number | undefined;
  /** Set while messages behind this sequence may have been deleted before they came. */
  #doubtFrom: number | undefined;
  #consumer = "";
  #subscription: Subscription | undefined;
  #delivered = 0;
  /** How many messages the request under way may still bring; 0: there is none. */
  #asked = 0;
  /** How many bytes it may still bring, counted as the server does. */
  #askedBytes = 0;
  #heardMs = 0;
  #starting: Promise<void> | undefined;
  #begun = false;
  #closed = false;

  constructor(options: PullerOptions) {
    this.#options = options;
    this.#covered = Math.min(...options.from.values()) - 1;
  }

  get partitions(): Iterable<number> {
    return this.#options.from.keys();
  }

  get covered(): number {
    return this.#covered;
  }

  /** Everything that the stream had for us was received, as far as the server has said. */
  get ended(): boolean {
    return this.#pending === 0;
  }

  /** More is on its way: it was announced, and was asked for. */
  get coming(): boolean {
    return this.#asked > 0 && this.#pending !== undefined && this.#pending > 0;
  }

  get hasMore(): boolean {
    return this.#head < this.#queue.length;
  }

  get running(): boolean {
    return this.#subscription !== undefined;
  }

  isReady(partition: number): boolean {
    return (this.#ready[partition] ?? 0) > 0;
  }

  /** The next message; there must be one. */
  peek(): StoredMessage {
    return this.#queue[this.#head]!;
  }

  take(): void {
    const message = this.#queue[this.#head]!;
    this.#head += 1;
    this.#bytes -= message.body.length;
    this.#ready[message.partition]! -= 1;
    if (this.#head < this.#queue.length) return;
    this.#queue = [];
    this.#head = 0;
  }

  /** Begins, or begins again after a break. Throws as `Reader.fetch` does. */
  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #start(): Promise<void> {
    if (this.#begun) await this.#compareAgain();
    await this.#consume();
    this.#begun = true;
  }

  /** After a break: is it still the log that we were reading, and does it still hold what comes next? */
  async #compareAgain(): Promise<void> {
    const { streams, topic } = this.#options;
    const info = await this.#info();
    const { first_seq: first } = info.state;
    if (this.#last !== undefined && this.#last.offset >= first) {
      const { partition, offset, id } = this.#last;
      const record = await streams.at(topic, offset);
      const found = record === undefined ? undefined : messageOf(topic, record)?.id;
      if (found !== id) throw changed(topic, partition, `offset ${offset} holds ${found ?? "nothing"}, not ${id}`);
    }
    if (first > this.#covered + 1 && !this.#isFresh) throw this.#passed(this.#covered, first);
  }

  /** Nothing was ever taken here, so nothing can be missed. */
  get #isFresh(): boolean {
    return this.#options.unread && this.#last === undefined;
  }

  /** The stream's state. Throws when it is no longer the one that we read. */
  async #info(): Promise<StreamInfo> {
    const { streams, topic, logId } = this.#options;
    // What arrives while the server is asked may lie behind the end that it tells.
    const covered = this.#covered;
    const info = await settledInfo(streams, topic, { logId, sequence: covered });
    if (info.created !== logId) throw changed(topic, this.#anyPartition(), `its id is ${info.created}, not ${logId}`);
    if (info.state.last_seq < covered) {
      throw changed(topic, this.#anyPartition(), `it ends at ${info.state.last_seq}, before ${covered}`);
    }
    return info;
  }

  #anyPartition(): number {
    return this.#last?.partition ?? this.#options.from.keys().next().value!;
  }

  #passed(covered: number, firstKept: number): Error {
    return retentionPassed(this.#options.topic, this.#anyPartition(), covered + 1, firstKept);
  }

  async #consume(): Promise<void> {
    const { link, streams, topic, filters } = this.#options;
    this.#drop();
    const name = `waybill-${nuid.next()}`;
    const config = {
      name,
      ack_policy: "none",
      deliver_policy: "by_start_sequence",
      opt_start_seq: this.#covered + 1,
      replay_policy: "instant",
      inactive_threshold: inactiveMs * nanosPerMs,
      mem_storage: true,
      num_replicas: 1,
      ...(filters === undefined ? {} : { filter_subjects: filters }),
    };
    try {
      await link.api(`CONSUMER.CREATE.${topic}.${name}`, { stream_name: topic, config, action: "create" });
    } catch (error) {
      throw streams.failure(error);
    }
    if (this.#closed) return;
    this.#consumer = name;
    this.#delivered = 0;
    const subscription = link.subscribe(createInbox(), (error, message) => {
      if (error === null && this.#subscription === subscription) this.#hear(message);
    });
    this.#subscription = subscription;
    this.#pull();
  }

  /** Asks for as much as there is room for, one request at a time; to be called when there may be room again. */
  #pull(): void {
    const { link, topic, messagesMax, bytesMax, recordMax } = this.#options;
    const room = messagesMax - (this.#queue.length - this.#head);
    if (this.#asked > 0 || this.#subscription === undefined) return;
    if (room * 2 < messagesMax || this.#bytes * 2 > bytesMax) return;
    // One record always fits, however large it may be.
    const bytes = Math.max(bytesMax - this.#bytes, recordMax + 1_024);
    const request = {
      batch: room,
      max_bytes: bytes,
      expires: pullMs * nanosPerMs,
      idle_heartbeat: heartbeatMs * nanosPerMs,
    };
    const subject = link.apiSubject(`CONSUMER.MSG.NEXT.${topic}.${this.#consumer}`);
    if (!link.connected) return;
    link.publish(subject, JSON.stringify(request), undefined, this.#subscription.getSubject());
    this.#asked = room;
    this.#askedBytes = bytes;
    this.#heardMs = performance.now();
  }

  refill(): void {
    if (this.#asked === 0) this.#pull();
  }

  #hear(message: Msg): void {
    this.#heardMs = performance.now();
    const reply = message.reply ?? "";
    const delivery = reply === "" ? undefined : deliveryOf(reply);
    if (delivery === undefined) return this.#hearStatus(message);
    // One was lost on the way: the server drops what a slow client does not take.
    if (delivery.delivered !== this.#delivered + 1) return this.interrupt();
    this.#delivered = delivery.delivered;
    this.#asked -= 1;
    this.#askedBytes -= sizeOf(message);
    // A request whose bytes are used up to the last one ends without a word.
    if (this.#askedBytes <= 0) this.#asked = 0;
    const { sequence, storedMs, pending } = delivery;
    this.#doubt(sequence);
    this.#covered = sequence;
    this.#pending = pending;
    const { topic, from, onNews } = this.#options;
    const { subject } = message;
    const first = from.get(partitionIn(subject, topic));
    const isOurs = first !== undefined && sequence >= first;
    if (isOurs) {
      this.#put(messageOf(topic, { subject, sequence, storedMs, block: headerBlockOf(message), body: message.data })!);
    }
    if (this.#asked === 0) this.#pull();
    if (isOurs || pending === 0) onNews();
  }

  /** Messages that retention deletes before we come to them are skipped by the server without a word. */
  #doubt(sequence: number): void {
    if (this.#doubtFrom !== undefined || sequence === this.#covered + 1 || this.#isFresh) return;
    // With a filter others' messages lie between. At the end, with a request waiting, what is new comes at once.
    if (this.#options.filters !== undefined && this.#pending === 0) return;
    this.#doubtFrom = this.#covered;
  }

  #put(message: StoredMessage): void {
    const { partition, offset, id } = message;
    this.#last = { partition, offset, id };
    this.#queue.push(message);
    this.#bytes += message.body.length;
    this.#ready[partition] = (this.#ready[partition] ?? 0) + 1;
  }

  #hearStatus(message: Msg): void {
    const { code = 0, description = "" } = message.headers ?? {};
    // A request that brought all it was asked for: counted here already, and the next may be under way.
    if (code === 100 || (code === 409 && description === "Batch Completed")) return;
    // The request has waited long enough, or the next message does not fit into what it has room for.
    const isOver = code === 408 || code === 404 || (code === 409 && /max ?bytes/i.test(description));
    if (!isOver) return this.interrupt();
    this.#asked = 0;
    this.#pull();
  }

  /** A consumer that has been silent for two heartbeats is gone, or its server is. */
  checkPulse(nowMs: number): void {
    if (this.#asked > 0 && nowMs - this.#heardMs > 2 * heartbeatMs) this.interrupt();
  }

  /** What was asked for will not come: the next fetch, or the one that waits, begins again from our own place. */
  interrupt(): void {
    this.#drop();
    this.#pending = undefined;
    this.#options.onNews();
  }

  /**
   * Asks the stream's leader how far it goes. Afterwards everything of ours is received, or something is on its way,
   * which will be told. Throws as `Reader.fetch` does.
   */
  async confirm(): Promise<StreamInfo> {
    const { streams, topic, filters } = this.#options;
    const info = await this.#info();
    this.#confirmKept(info);
    const from = this.#covered + 1;
    const { last_seq: last } = info.state;
    if (this.hasMore) return info;
    this.refill();
    if (last >= from) {
      const found = await Promise.all((filters ?? [`${topic}.>`]).map((filter) => streams.next(topic, from, filter)));
      if (found.some((record) => record !== undefined) || this.#covered >= from) return info;
      this.#covered = last;
    }
    this.#pending = 0;
    return info;
  }

  /** Throws RETENTION_PASSED when there may have been something between what was received and what before it. */
  async confirmKept(): Promise<void> {
    if (this.#doubtFrom !== undefined) this.#confirmKept(await this.#info());
  }

  #confirmKept(info: StreamInfo): void {
    const doubt = this.#doubtFrom;
    if (doubt !== undefined && info.state.first_seq > doubt + 1) throw this.#passed(doubt, info.state.first_seq);
    this.#doubtFrom = undefined;
  }

  #drop(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    this.#asked = 0;
    const { link, topic } = this.#options;
    // Best effort: one that stays is forgotten by the server when nobody pulls.
    if (this.#consumer !== "" && link.connected) {
      void link.api(`CONSUMER.DELETE.${topic}.${this.#consumer}`).catch(() => undefined);
    }
    this.#consumer = "";
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }
}
