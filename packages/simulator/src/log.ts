import { WaybillError, type Envelope, type StoredMessage, type TopicSpec } from "@waybill/messaging";
import { rolls, idOf, type Rolls } from "./rolls.ts";

/** One partition's messages in order of offset, and how often something was done to it that no log does by itself. */
export interface PartitionLog {
  readonly topic: string;
  readonly partition: number;
  readonly messages: StoredMessage[];
  firstOffset: number;
  nextOffset: number;
  /** The first offset of the last loss: it is given again, to nothing else than the next message. */
  lostFrom: number;
  /** Bytes of all messages, roughly. */
  bytes: number;
}

export interface TopicLog {
  readonly spec: TopicSpec;
  readonly logId: string;
  readonly partitions: readonly PartitionLog[];
}

/** Somebody who waits for a topic to change. */
export type Waiter = () => void;

/**
 * The logs of all topics, as they lie on the brokers' disks, with what may befall them there.
 */
export class Logs {
  readonly topics = new Map<string, TopicLog>();
  /** Raised with each loss: readers then compare where they stand. */
  damage = 0;
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #chance: Rolls;

  /** By the id of a message, when it was stored for the first time. */
  readonly reachedAtMs = new Map<string, number>();
  readonly #nowMs: () => number;

  constructor(seed: number, nowMs: () => number) {
    this.#chance = rolls(seed, "logs");
    this.#nowMs = nowMs;
  }

  declare(spec: TopicSpec): void {
    const found = this.topics.get(spec.name);
    if (found === undefined) this.#create({ ...spec });
    else refuseOther(found.spec, spec);
  }

  #create(spec: TopicSpec): void {
    const partitions = Array.from({ length: spec.partitions }, (_, partition) => empty(spec.name, partition));
    this.topics.set(spec.name, { spec, logId: idOf(this.#chance.next), partitions });
    this.#waiters.set(spec.name, this.#waiters.get(spec.name) ?? new Set());
  }

  topic(name: string): TopicLog {
    const topic = this.topics.get(name);
    if (topic !== undefined) return topic;
    throw new WaybillError("TOPIC_UNKNOWN", `Topic "${name}" is not declared.`, { details: { topic: name } });
  }

  partition(name: string, partition: number): PartitionLog {
    const log = this.topic(name).partitions[partition];
    if (log !== undefined) return log;
    throw new WaybillError("TOPIC_UNKNOWN", `Topic "${name}" has no partition ${partition}.`, {
      details: { topic: name, partition },
    });
  }

  /** Stores messages behind the others; the first and the last offset. Offsets rise and have holes now and then. */
  append(topic: string, partition: number, messages: readonly Envelope[]): { first: number; last: number } {
    const log = this.partition(topic, partition);
    if (log.nextOffset !== log.lostFrom && this.#chance.chance(0.05)) log.nextOffset += this.#chance.between(1, 3);
    const first = log.nextOffset;
    for (const message of messages) {
      store(log, message);
      if (!this.reachedAtMs.has(message.id)) this.reachedAtMs.set(message.id, this.#nowMs());
    }
    this.wake(topic);
    return { first, last: log.nextOffset - 1 };
  }

  waitersOf(topic: string): Set<Waiter> {
    return this.#waiters.get(this.topic(topic).spec.name)!;
  }

  wake(topic: string): void {
    for (const waiter of this.waitersOf(topic)) waiter();
  }

  /** Loses the last messages of a partition although they were acknowledged; their offsets are given again. */
  loseTail(topic: string, partition: number, count: number): readonly StoredMessage[] {
    const log = this.partition(topic, partition);
    const lost = log.messages.splice(Math.max(0, log.messages.length - count));
    if (lost.length === 0) return lost;
    log.nextOffset = log.lostFrom = lost[0]!.offset;
    this.#damaged(topic);
    return lost;
  }

  /** Deletes a topic and makes it anew: empty, under another id. */
  recreate(topic: string): void {
    this.#create(this.topic(topic).spec);
    this.#damaged(topic);
  }

  /** Retention: what lies before an offset is gone. */
  dropBefore(topic: string, partition: number, offset: number): void {
    const log = this.partition(topic, partition);
    log.firstOffset = Math.min(Math.max(offset, log.firstOffset), log.nextOffset);
    log.messages.splice(0, indexOf(log, log.firstOffset));
    this.#damaged(topic);
  }

  /** Stores a record that is no envelope, as a stranger may. */
  appendUnreadable(topic: string, partition: number, body: Uint8Array): void {
    const id = `${topic}-${partition}-${this.partition(topic, partition).nextOffset}`;
    const envelope = {
      id,
      type: "unreadable",
      schema: 0,
      subject: id,
      key: id,
      producer: "unknown",
      atMs: 0,
      correlation: id,
      body,
    };
    store(this.partition(topic, partition), envelope, "The record has no attributes.");
    this.wake(topic);
  }

  /** Leaves an offset unused, as a transaction's marker does. */
  leaveHole(topic: string, partition: number): void {
    this.partition(topic, partition).nextOffset += 1;
    this.wake(topic);
  }

  #damaged(topic: string): void {
    this.damage += 1;
    this.wake(topic);
  }
}

function empty(topic: string, partition: number): PartitionLog {
  return { topic, partition, messages: [], firstOffset: 0, nextOffset: 0, lostFrom: -1, bytes: 0 };
}

function store(log: PartitionLog, envelope: Envelope, malformed?: string): void {
  // What is stored is bytes: a body that was checked in the sender's memory is not.
  const { body } = envelope;
  const message: StoredMessage = {
    ...envelope,
    body: typeof body === "string" ? body : body.slice(),
    value: undefined,
    topic: log.topic,
    partition: log.partition,
    offset: log.nextOffset,
    ...(malformed === undefined ? {} : { malformed }),
  };
  log.messages.push(message);
  log.nextOffset += 1;
  log.bytes += message.body.length;
}

/** The index of the first message at or after an offset. */
export function indexOf(log: PartitionLog, offset: number): number {
  let low = 0;
  let high = log.messages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (log.messages[middle]!.offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function messageAt(log: PartitionLog, offset: number): StoredMessage | undefined {
  const message = log.messages[indexOf(log, offset)];
  return message?.offset === offset ? message : undefined;
}

function refuseOther(found: TopicSpec, asked: TopicSpec): void {
  for (const setting of ["partitions", "bytesMax", "retentionMs", "retentionBytes"] as const) {
    if (found[setting] === asked[setting]) continue;
    throw new WaybillError(
      "TOPIC_MISMATCH",
      `Topic "${found.name}" exists with ${setting} ${found[setting] ?? "not set"}; ${asked[setting] ?? "not set"} was declared.`,
      { details: { topic: found.name, setting, found: found[setting], declared: asked[setting] } },
    );
  }
}
