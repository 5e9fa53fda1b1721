import type { WaybillError } from "./errors.ts";
import type { Envelope, Position, StoredMessage, TopicPartition } from "./message.ts";

/** What a log is asked to be. Everything but the name may be changed later except `partitions`. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** The largest message, body and attributes, in bytes. */
  readonly bytesMax: number;
  /** Messages older than this may be deleted; undefined keeps them. */
  readonly retentionMs?: number | undefined;
  /** The oldest messages may be deleted when the topic is larger than this. */
  readonly retentionBytes?: number | undefined;
  /** How many servers keep each message; 1 unless given. More than there are is refused with CONTRACT_INVALID. */
  readonly replicas?: number | undefined;
  /** Where messages lie; "file" unless given. What a log cannot do is refused with CONTRACT_INVALID. */
  readonly storage?: "file" | "memory" | undefined;
  /** How bodies lie on a broker that packs them, and travel to it; "none" unless given. Readers never notice. */
  readonly compression?: "none" | "zstd" | "lz4" | undefined;
}

/** Messages for the end of one partition. */
export interface Append extends TopicPartition {
  /** In order; at least one. */
  readonly messages: readonly Envelope[];
}

/** What came of an append: where its messages lie, or why they may not be there. */
export type AppendResult =
  | { readonly ok: true; readonly logId: string; readonly firstOffset: number; readonly lastOffset: number }
  | { readonly ok: false; readonly error: WaybillError };

/** How much a fetch may return, and how long it may wait. */
export interface FetchLimits {
  readonly messages: number;
  readonly bytes: number;
  /** How long to wait when there is nothing, in milliseconds. 0: do not wait. */
  readonly waitMs: number;
  /** Topics not to fetch from this time: their buffer is full, or they are stopped. */
  readonly except?: ReadonlySet<string> | undefined;
}

/** What a fetch has found. */
export interface Fetched {
  /** In offset order within a partition. */
  readonly messages: readonly StoredMessage[];
  /** New positions of the partitions that moved, also past what is not a message. */
  readonly next: readonly Position[];
  /** Partitions read to their end at the time of the fetch. */
  readonly atEnd: readonly TopicPartition[];
}

/** Reads partitions from positions on, for one lane. */
export interface Reader extends AsyncDisposable {
  /**
   * Returns up to the limits, fair over partitions, at least one message when there is one to return even if it
   * alone passes `bytes`. Waits at most `waitMs` when there is nothing; an aborted signal ends the wait with an
   * empty result. One call at a time.
   * Throws LOG_CHANGED when a log is not the one of a position (another id, an end before the position, another
   * message at `lastOffset`), RETENTION_PASSED when `nextOffset` is before the first offset kept, and
   * TRANSPORT_UNAVAILABLE when the broker cannot be reached; `details` name topic and partition. The call may be
   * repeated after TRANSPORT_UNAVAILABLE.
   */
  fetch(limits: FetchLimits, signal: AbortSignal): Promise<Fetched>;
}

/** What a partition holds, from its first offset kept to its end. */
export interface PartitionBounds extends TopicPartition {
  readonly logId: string;
  /**
   * What was deleted lies before it, and nothing else: a position before it has missed something. A partition in which nothing
   * is begins where it ends, or, where partitions share their offsets, at what the others have passed since.
   */
  readonly firstOffset: number;
  /** One past the last offset stored; a message appended later has this offset or a higher one. */
  readonly nextOffset: number;
  readonly bytes: number;
  /** The first offset whose message was published at or after the time asked for; `nextOffset` when none was. */
  readonly offsetAt?: number | undefined;
}

/**
 * A durable partitioned log. A partition is a sequence of messages at rising, not dense, offsets.
 *
 * It promises: what `append` reported stored survives as the topic's settings say; a partition is read in the
 * order in which it was appended; an offset never names two messages of one log id.
 * Not its job: acknowledgements, consumer groups, removing repeats, retries. Its callers do these.
 */
export interface Transport extends AsyncDisposable {
  readonly name: string;
  /** Creates the topic or leaves it as it is; throws TOPIC_MISMATCH naming the setting that differs. */
  declare(topic: TopicSpec): Promise<void>;
  /**
   * Appends each destination's messages in order, and resolves when every destination is known. Each succeeds or
   * fails on its own; a failed one may have been stored in part, in order, from its first message on. The caller
   * has one unresolved append per destination, and names a destination once per call.
   * Rejects as a whole only with CLOSED.
   */
  append(batches: readonly Append[], signal: AbortSignal): Promise<readonly AppendResult[]>;
  /** A reader over many partitions. Nothing is fetched until it is asked; it may be closed at any time. */
  reader(from: readonly Position[]): Reader;
  /** The message at exactly this offset; undefined when there is none, or it is no longer kept. */
  read(topic: string, partition: number, offset: number): Promise<StoredMessage | undefined>;
  /** Every partition of the topic, in order; with `atMs` also the offset at that time. */
  bounds(topic: string, atMs?: number): Promise<readonly PartitionBounds[]>;
  /** Shows a service's progress in the broker's own tools. Advisory; never read back, never awaited by a lane. */
  report(service: string, positions: readonly Position[]): Promise<void>;
}
