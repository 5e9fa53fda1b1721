import type { Envelope, Position, Stamp, TopicPartition } from "./message.ts";

/** One lane of a service. `lanes` is how many the service has: its partitions are those ≡ lane (mod lanes). */
export interface LaneId {
  readonly service: string;
  readonly lane: number;
  readonly lanes: number;
}

/**
 * A lane's row. `batch` rises with each commit, `epoch` with each claim and at least to the store's clock in milliseconds, so
 * that a database that was put back does not give one a second time, to another owner.
 */
export interface LaneRow {
  readonly service: string;
  readonly lane: number;
  /** One life of this lane: what its messages are stamped with. */
  readonly source: string;
  readonly owner?: string | undefined;
  readonly epoch: number;
  readonly batch: number;
  /** The next number for messages, effects and parked inputs; from 1. */
  readonly nextN: number;
  /** Lane time in milliseconds; never goes back. */
  readonly timeMs: number;
  /** The highest level of a build that wrote here. */
  readonly level: number;
  /** Claims since the last commit. */
  readonly tries: number;
  /** The input that was being handled alone when the process died. */
  readonly suspect?: string | undefined;
  /** Why the lane stopped: an error's code and text. */
  readonly stopped?: string | undefined;
}

/** A process that runs lanes. */
export interface Member {
  readonly id: string;
  readonly host: string;
  readonly services: readonly string[];
  readonly level: number;
}

/** How far a lane has read a partition. */
export interface PositionRow extends Position {
  /** Per source the last `n` taken; negative until two messages of that source have joined. */
  readonly marks: Readonly<Record<string, number>>;
}

/** Names a state within its service. */
export interface StateKey {
  readonly kind: string;
  readonly id: string;
}

/** A state as it is stored. */
export interface StateRow extends StateKey {
  /** The partition of the input that made it. */
  readonly home: number;
  /** Rises by one with each write, from 1. */
  readonly version: number;
  readonly schema: number;
  /** JSON text. */
  readonly body: string;
}

/** A write of a state whose stored version must be `version - 1` (0: absent). `body` undefined deletes it. */
export interface StateWrite extends StateKey {
  readonly home: number;
  readonly version: number;
  readonly schema: number;
  readonly body: string | undefined;
}

/** A message that is committed to be sent, with its place in the chain. */
export interface OutgoingMessage extends Envelope, TopicPartition {
  readonly stamp: Stamp;
}

/** How far a lane's messages to a destination are confirmed. */
export interface SentRow extends TopicPartition {
  readonly n: number;
  readonly logId: string;
  readonly lastOffset: number;
}

/** Names a timer: one of each name for an entity. */
export interface TimerKey {
  readonly partition: number;
  readonly key: string;
  readonly name: string;
}

/** A timer that is set. */
export interface TimerRow extends TimerKey {
  readonly dueMs: number;
  readonly schema: number;
  /** JSON text. */
  readonly body: string;
  readonly correlation: string;
  readonly causation: string;
}

/** Names a call to the outside; those of one entity and queue go in the order of `seq`. */
export interface EffectKey {
  readonly partition: number;
  readonly key: string;
  readonly queue: string;
  readonly seq: number;
}

/** A call to the outside that has no outcome yet. */
export interface EffectRow extends EffectKey {
  /** The idempotency key of the call. */
  readonly id: string;
  readonly name: string;
  readonly schema: number;
  /** JSON text. */
  readonly input: string;
  readonly attempts: number;
  /** When it was first called. */
  readonly firstMs?: number | undefined;
  /** Not before this time. */
  readonly dueMs: number;
  readonly error?: string | undefined;
  readonly correlation: string;
  readonly causation: string;
  readonly traceparent?: string | undefined;
}

/** What an input is; a command is a word of an operator. */
export type InputKind = "message" | "timer" | "result" | "command";

/** An input that is set aside, with why. */
export interface ParkedInput {
  readonly partition: number;
  /** The entity's key, or the position of an unreadable message. */
  readonly key: string;
  readonly seq: number;
  readonly kind: InputKind;
  /** Where it came from, as JSON text: a position, a timer's key, an effect's key. */
  readonly origin: string;
  readonly id: string;
  readonly type: string;
  /** The envelope's attributes as JSON text. */
  readonly headers: string;
  readonly body: string | Uint8Array;
}

/** An entity whose inputs are set aside. */
export interface ParkedKey {
  readonly partition: number;
  readonly key: string;
  readonly sinceMs: number;
  readonly attempts: number;
  /** When it is tried again by itself; undefined waits for a person or another build. */
  readonly dueMs?: number | undefined;
  readonly build: string;
  /** Error code, handler and input type: what failures are grouped by. */
  readonly fingerprint: string;
  readonly error: string;
}

/** A message that a door has taken, so that its repeat is known. */
export interface SeenRow {
  readonly source: string;
  readonly id: string;
  readonly atMs: number;
}

/**
 * By which source a lane keeps among `seen` what it found on the logs to be said already, when its database was put back.
 * No producer can have such a name.
 */
export function saidBy({ lane }: LaneId): string {
  return `said\n${lane}`;
}

/** Everything that one batch of inputs changes. No row is named twice. */
export interface Batch extends LaneId {
  readonly epoch: number;
  /** The lane's `batch` before this one. */
  readonly batch: number;
  /** How many numbers it draws from `nextN`. */
  readonly count: number;
  readonly timeMs: number;
  readonly level: number;
  /** How many inputs it holds; for limits only. */
  readonly inputs: number;
  readonly positions: readonly PositionRow[];
  readonly states: readonly StateWrite[];
  /** In order of `n`. Those to a topic that the store hosts go straight to its log, the rest to the outbox. */
  readonly messages: readonly OutgoingMessage[];
  readonly sent: readonly SentRow[];
  readonly timers: { readonly set: readonly TimerRow[]; readonly cleared: readonly TimerKey[] };
  readonly effects: {
    readonly added: readonly EffectRow[];
    readonly done: readonly EffectKey[];
    /** Rows whose attempts, firstMs, dueMs or error changed. */
    readonly retried: readonly EffectRow[];
  };
  readonly parked: {
    readonly added: readonly ParkedInput[];
    readonly removed: readonly Pick<ParkedInput, "partition" | "key" | "seq">[];
    readonly keys: readonly ParkedKey[];
    readonly released: readonly Pick<ParkedKey, "partition" | "key">[];
  };
  readonly seen: readonly SeenRow[];
}

/**
 * A commit's two moments. `applied`: the lane and the other lanes that share this store's fate may go on.
 * `durable`: what leaves the process may leave. `durable` never resolves before `applied`.
 * Both reject with NOT_OWNER (fence), COMMIT_UNKNOWN, BATCH_REFUSED, STATE_CONFLICT or STORE_UNAVAILABLE; after any
 * rejection the caller forgets what it cached and reads its row again. A store may keep trying by itself through
 * STORE_UNAVAILABLE, and then neither resolves nor rejects until it is over.
 */
export interface Commit {
  readonly applied: Promise<void>;
  readonly durable: Promise<void>;
}

/** A partition that messages wait for, from which number to which. */
export interface OutboxDestination extends TopicPartition {
  readonly firstN: number;
  readonly lastN: number;
}

/** What a new owner must know before it runs. */
export interface Recovered {
  readonly positions: readonly PositionRow[];
  readonly parkedKeys: readonly ParkedKey[];
  readonly sent: readonly SentRow[];
  readonly outbox: readonly OutboxDestination[];
  /** Ids of the `seen` rows under `saidBy(id)`. */
  readonly said: readonly string[];
  /** When the earliest timer is due. */
  readonly nextTimerMs?: number | undefined;
}

/**
 * The database of services: members, lanes, and the commit of a batch.
 *
 * It promises: a batch is kept whole or not at all; of two claims of a lane at most one succeeds for each epoch; a
 * commit by a former owner, or a repeat of a committed batch, writes nothing; reads by a lane's owner see all that
 * was applied before. Not its job: what the rows mean.
 */
export interface Store extends AsyncDisposable {
  /** The store's clock in milliseconds, as last told and carried on by a monotonic clock. */
  nowMs(): number;
  /** True for topics whose log is kept in this store: their messages need no outbox. */
  hosts(topic: string): boolean;

  /** Creates the rows of a service's lanes where they are missing. Throws CONTRACT_INVALID when their number differs
   *  from what is stored. */
  declare(service: string, lanes: number, newSource: () => string): Promise<void>;
  join(member: Member, ttlMs: number): Promise<void>;
  /** False when the member had already expired; it must then join again and holds nothing. */
  renew(memberId: string, ttlMs: number): Promise<boolean>;
  leave(memberId: string): Promise<void>;
  /** Lanes of these services, and members that have not expired. */
  survey(services: readonly string[]): Promise<{ lanes: readonly LaneRow[]; members: readonly Member[] }>;
  /** Calls `freed` soon after a process gave back a lane of these services or left, until it is disposed of. Only a hint:
   *  calls are lost while the database is away, so look now and then all the same. */
  watch(services: readonly string[], freed: () => void): AsyncDisposable;

  /** Takes a lane that is free, ours, or whose owner has expired, if its epoch is still `seenEpoch`, its level is not
   *  above `level`, and it is not stopped. Undefined when it cannot be had. Resolves when the claim is durable. */
  claim(id: LaneId, memberId: string, level: number, seenEpoch: number): Promise<LaneRow | undefined>;
  /** Gives a lane back; nothing when the epoch has moved on. */
  release(id: LaneId, epoch: number): Promise<void>;
  /** The lane's row as it is now. */
  lane(id: LaneId): Promise<LaneRow>;
  /** Changes what a lane's owner may change outside a batch; false when the epoch has moved on. */
  mark(
    id: LaneId,
    epoch: number,
    change: { source?: string; suspect?: string | null; stopped?: string | null },
  ): Promise<boolean>;
  /** An operator's word: the lane may be claimed again. */
  resume(id: LaneId): Promise<void>;
  recover(id: LaneId): Promise<Recovered>;
  commit(batch: Batch): Commit;

  /** The states that exist among these keys, in any order. */
  load(service: string, keys: readonly StateKey[]): Promise<readonly StateRow[]>;
  /** Timers due at or before `dueMs`, earliest first. */
  timers(id: LaneId, dueMs: number, limit: number): Promise<readonly TimerRow[]>;
  /** The time of the lane's earliest timer. */
  nextTimer(id: LaneId): Promise<number | undefined>;
  /** The first effect of each (partition, key, queue) whose `dueMs` has come, earliest first, without those in `except`. */
  effectHeads(id: LaneId, dueMs: number, limit: number, except: ReadonlySet<string>): Promise<readonly EffectRow[]>;
  /** The next effect behind `after` in its queue. */
  nextEffect(service: string, after: EffectKey): Promise<EffectRow | undefined>;
  /** When the earliest effect head that is not due yet will be. */
  nextEffectDue(id: LaneId): Promise<number | undefined>;
  /** Messages to a destination with `n` above `afterN`, in order. */
  outbox(id: LaneId, destination: TopicPartition, afterN: number, limit: number): Promise<readonly OutgoingMessage[]>;
  /** Deletes outbox rows up to each `n`; by the owner, after the grace. */
  trimOutbox(id: LaneId, upTo: readonly SentRow[]): Promise<void>;
  parkedKeys(service: string): Promise<readonly ParkedKey[]>;
  parked(
    service: string,
    partition: number,
    key: string,
    afterSeq: number,
    limit: number,
  ): Promise<readonly ParkedInput[]>;
  /** Those of these (source, id) that a door has taken before. */
  seen(
    service: string,
    keys: readonly Pick<SeenRow, "source" | "id">[],
  ): Promise<readonly Pick<SeenRow, "source" | "id">[]>;
  /** Forgets what doors saw before this time, at most `limit` rows; how many it deleted. */
  forgetSeen(service: string, beforeMs: number, limit: number): Promise<number>;
}
