/** JSON text, or the bytes as they came from a broker. */
export type Body = string | Uint8Array;

/**
 * A message's place in its producer's chain. `source` is one life of one lane, `n` its count of messages,
 * `prev` the `n` of its message before this one to the same topic and partition, 0 for the first.
 */
export interface Stamp {
  readonly source: string;
  readonly n: number;
  readonly prev: number;
}

/** A message as it travels: the attributes of CloudEvents 1.0, and the body. */
export interface Envelope {
  /** Unique within `producer`. 1–200 bytes. */
  readonly id: string;
  /** `order.placed`. */
  readonly type: string;
  /** The version of the body's schema, from 1 (`dataschema`). */
  readonly schema: number;
  /** The entity that the message is about (`subject`): the unit of order, and of parking. */
  readonly subject: string;
  /** The routing key (`partitionkey`); it chooses the partition. */
  readonly key: string;
  /** Who sent it: a service's name, or what an outside producer calls itself (`source`). */
  readonly producer: string;
  /** When it was published, in milliseconds of the producer's store (`time`). */
  readonly atMs: number;
  /** The id of the first message of this conversation (`correlationid`). */
  readonly correlation: string;
  /** The id of the input that made this message (`causationid`). */
  readonly causation?: string | undefined;
  /** W3C trace context. */
  readonly traceparent?: string | undefined;
  /** Present on every message of a stamped topic, absent from outside producers. */
  readonly stamp?: Stamp | undefined;
  readonly body: Body;
  /**
   * The body as its sender in this very process has checked it; never stored. A log that is kept in the process may hand
   * it on, and a reader there, which has the same schemas, need not parse and check the body a second time.
   */
  readonly value?: unknown;
}

/** A message read from a log. */
export interface StoredMessage extends Envelope {
  readonly topic: string;
  readonly partition: number;
  /** Rising, not dense. */
  readonly offset: number;
  /** Why the record could not be read as an envelope. The other attributes are then made up from its position. */
  readonly malformed?: string | undefined;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The body as text. Throws a TypeError when the bytes are not UTF-8. */
export function bodyText(body: Body): string {
  return typeof body === "string" ? body : decoder.decode(body);
}

/** The body's size in bytes as UTF-8. */
export function bodyBytes(body: Body): number {
  return typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
}

/** One partition of a topic; order holds within it. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Where to read next, and what was read last, so that a log which is no longer the same is noticed. */
export interface Position extends TopicPartition {
  /** Names the log: Kafka's topic id, the stream's creation, the file's topic id. Empty: not read yet. */
  readonly logId: string;
  readonly nextOffset: number;
  /** Offset and id of the last message read; undefined before the first. */
  readonly lastOffset?: number | undefined;
  readonly lastId?: string | undefined;
}
