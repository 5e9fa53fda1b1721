import { WaybillError, type Batch, type Commit, type Store, type World } from "@waybill/messaging";
import { commit, isHosted } from "./commit.ts";
import { claim, declare, join, leave, mark, release, renew, resume, survey, watch } from "./lanes.ts";
import type { MemoryTransport } from "./memory-transport.ts";
import * as reads from "./reads.ts";
import { laneOf, tablesOf, type Contents, type Database } from "./tables.ts";

/** What a store in memory is given. */
export interface MemoryStoreOptions {
  /** What carries the store's clock on. */
  readonly world: World;
  /** What the clock shows at first, in milliseconds; the beginning of 2026 unless given. */
  readonly nowMs?: number;
  /** Logs that lie in this store: it hosts their topics, and what a batch sends to these needs no outbox. */
  readonly logs?: MemoryTransport;
  /** Rows go in and out as they are, not as copies: much faster, for callers that change none that they gave or got. */
  readonly byReference?: boolean;
}

/** One process' connection to the shared database. */
export interface StoreHandle extends Store {
  /** As kill -9 of its process: from now on everything rejects with CLOSED. */
  kill(): void;
}

/** A whole database as it was at one moment. */
export interface Snapshot {
  readonly contents: Contents;
}

/** A database in memory, with what a test may do to it behind a service's back. */
export interface MemoryStore extends StoreHandle {
  /** A connection of its own to the same database, as another process has. */
  handle(): StoreHandle;
  /** Sets the clock, forwards or back; it goes on from there. */
  setNow(ms: number): void;
  snapshot(): Snapshot;
  /** Puts everything back to what it was, as a restore from a backup does. The clock goes on, and logs stay as they are. */
  restore(snapshot: Snapshot): void;
}

/**
 * A database of services in memory. Unless it is given logs it hosts no topic, so every message goes through the outbox;
 * what is applied is durable. The same calls give the same rows.
 */
export function memoryStore(options: MemoryStoreOptions): MemoryStore {
  const { world } = options;
  let ahead = (options.nowMs ?? Date.UTC(2026, 0, 1)) - world.monotonicMs();
  const nowMs = (): number => world.monotonicMs() + ahead;
  const db: Database = {
    contents: { members: new Map(), services: new Map() },
    nowMs,
    logs: options.logs,
    watchers: new Set(),
  };
  const copy: Copy = options.byReference === true ? (rows) => rows : structuredClone;
  return {
    ...connect(db, copy),
    handle: () => connect(db, copy),
    setNow(ms) {
      ahead = ms - world.monotonicMs();
    },
    snapshot: () => ({ contents: structuredClone(db.contents) }),
    restore(snapshot) {
      db.contents = structuredClone(snapshot.contents);
    },
  };
}

type Copy = <Rows>(rows: Rows) => Rows;

function connect(db: Database, copy: Copy): StoreHandle {
  let closed = false;
  const kill = (): void => {
    closed = true;
  };
  /** Rows go in and come out by value, so that nobody holds what is stored. */
  async function run<Result>(work: () => Result): Promise<Result> {
    if (closed) throw new WaybillError("CLOSED", "The store is closed.");
    return copy(work());
  }
  return {
    kill,
    nowMs: db.nowMs,
    hosts: (topic) => isHosted(db, topic),
    declare: (service, lanes, newSource) => run(() => declare(db, service, lanes, newSource)),
    join: (member, ttlMs) => run(() => join(db, copy(member), ttlMs)),
    renew: (memberId, ttlMs) => run(() => renew(db, memberId, ttlMs)),
    leave: (memberId) => run(() => leave(db, memberId)),
    watch: (services, freed) => watch(db, services, freed),
    survey: (services) => run(() => survey(db, services)),
    claim: (id, memberId, level, seenEpoch) => run(() => claim(db, id, memberId, level, seenEpoch)),
    release: (id, epoch) => run(() => release(db, id, epoch)),
    lane: (id) => run(() => laneOf(tablesOf(db, id.service), id)),
    mark: (id, epoch, change) => run(() => mark(db, id, epoch, change)),
    resume: (id) => run(() => resume(db, id)),
    recover: (id) => run(() => reads.recover(db, id)),
    commit: (batch: Batch) => committing(run(() => commit(db, copy(batch)))),
    load: (service, keys) => run(() => reads.load(db, service, keys)),
    timers: (id, dueMs, limit) => run(() => reads.timers(db, id, dueMs, limit)),
    nextTimer: (id) => run(() => reads.nextTimer(db, id)),
    effectHeads: (id, dueMs, limit, except) => run(() => reads.effectHeads(db, id, dueMs, limit, except)),
    nextEffect: (service, after) => run(() => reads.nextEffect(db, service, after)),
    nextEffectDue: (id) => run(() => reads.nextEffectDue(db, id)),
    outbox: (id, destination, afterN, limit) => run(() => reads.outbox(db, id, destination, afterN, limit)),
    trimOutbox: (id, upTo) => run(() => reads.trimOutbox(db, id, upTo)),
    parkedKeys: (service) => run(() => [...tablesOf(db, service).parkedKeys.values()]),
    parked: (service, partition, key, afterSeq, limit) =>
      run(() => reads.parked(db, service, { partition, key }, afterSeq, limit)),
    seen: (service, keys) => run(() => reads.seen(db, service, keys)),
    forgetSeen: (service, beforeMs, limit) => run(() => reads.forgetSeen(db, service, beforeMs, limit)),
    async [Symbol.asyncDispose]() {
      kill();
    },
  };
}

/** Both moments of a commit whose rows are kept as soon as they are applied. */
function committing(applied: Promise<void>): Commit {
  const durable = applied.then(() => undefined);
  // A caller may look at one of the two only; the other's rejection is then nobody's.
  applied.catch(() => undefined);
  durable.catch(() => undefined);
  return { applied, durable };
}
