import type { Envelope, TopicPartition } from "./message.ts";

/** A message for a door, before it has its place among those that wait. */
export interface ToSpool extends Envelope, TopicPartition {}

/** A message that waits for its broker. */
export interface Spooled extends ToSpool {
  /** Rises with each message put. */
  readonly seq: number;
}

/**
 * Where messages for doors wait while their broker is away: a table of the services' database.
 *
 * It promises: what `put` resolved for survives as a commit does; messages come out in the order in which they were
 * put; while one process has a lease, no other is given any. Not its job: to remove repeats; doors do.
 */
export interface Spool {
  /** Keeps the messages, all or none; resolves when they are durable. Throws STORE_UNAVAILABLE. */
  put(messages: readonly ToSpool[]): Promise<void>;
  /**
   * The oldest messages of other topics than `except`, at most `limit`, for this process alone until `leaseMs` have passed
   * by the database's clock; taking again renews the lease. Empty when there is none; undefined when there is, and another
   * process has the lease.
   */
  take(by: string, limit: number, leaseMs: number, except: readonly string[]): Promise<readonly Spooled[] | undefined>;
  /** The oldest messages that wait for a partition, at most `limit`, for anybody to look at. */
  look(topic: string, partition: number, limit: number): Promise<readonly Spooled[]>;
  /** Forgets messages that were appended. */
  remove(seqs: readonly number[]): Promise<void>;
}
