import { saidBy, type LaneId, type Recovered, type SentRow, type Store } from "@waybill/messaging";
import { change } from "./change.ts";
import { CommitJob } from "./commit-job.ts";
import type { Committer } from "./committer.ts";
import type { EmbeddedFile } from "./file.ts";
import { Overlay } from "./fold.ts";
import { laneJobs } from "./lane-jobs.ts";
import { effectReads } from "./read-effects.ts";
import { closedError } from "./lifetime.ts";
import { parkedReads } from "./read-parked.ts";
import { positionReads } from "./read-positions.ts";
import { sendingReads } from "./read-sending.ts";
import { stateReads } from "./read-states.ts";
import { timerReads } from "./read-timers.ts";
import type { Cell, WriteName } from "./tables.ts";

/** The database of the services of one process: the embedded engine's file. Closing it closes nothing but itself. */
export function sqliteStore(file: EmbeddedFile): Store {
  const { connection, lanes, log, versions, waves, world } = file;
  const load = stateReads(connection, versions);
  const positions = positionReads(connection, new Overlay(() => waves().map((wave) => wave.positions)));
  const sending = sendingReads(
    connection,
    new Overlay(() => waves().map((wave) => wave.outbox)),
    new Overlay(() => waves().map((wave) => wave.sent)),
  );
  const timers = timerReads(connection, new Overlay(() => waves().map((wave) => wave.timers)));
  const effects = effectReads(connection, waves);
  const parked = parkedReads(
    connection,
    new Overlay(() => waves().map((wave) => wave.parked)),
    new Overlay(() => waves().map((wave) => wave.parkedKeys)),
    new Overlay(() => waves().map((wave) => wave.seen)),
  );
  const to = { lanes, log, versions };
  const watchers = new Set<() => void>();
  let closed = false;
  const alive = (): void => {
    if (closed) throw closedError();
    file.look();
  };
  const writer = (): Committer => {
    if (closed) throw closedError();
    return file.writer();
  };
  const clocks = { nowMs: file.nowMs, monotonicMs: world.monotonicMs };
  const rows = (): ReturnType<typeof laneJobs> => laneJobs(lanes, writer());
  /** A read of what is now, by a store that is open. */
  const now = async <T>(read: () => T): Promise<T> => {
    alive();
    return read();
  };

  return {
    nowMs: file.nowMs,
    hosts: (topic) => log.topics.has(topic),

    declare: async (service, count, newSource) => rows().declare(service, count, newSource),
    async join(member, ttlMs) {
      writer();
      lanes.join(member, world.monotonicMs() + ttlMs);
    },
    async renew(id, ttlMs) {
      writer();
      return lanes.renew(id, world.monotonicMs(), world.monotonicMs() + ttlMs);
    },
    async leave(id) {
      writer();
      lanes.leave(id);
      for (const freed of watchers) queueMicrotask(freed);
    },
    watch(_services, freed) {
      watchers.add(freed);
      return {
        async [Symbol.asyncDispose]() {
          watchers.delete(freed);
        },
      };
    },
    async survey(services) {
      alive();
      return { lanes: lanes.of(services), members: lanes.members(world.monotonicMs()) };
    },

    claim: async (id, memberId, level, seenEpoch) => rows().claim(id, memberId, level, seenEpoch, clocks),
    async release(id, epoch) {
      await rows().release(id, epoch);
      for (const freed of watchers) queueMicrotask(freed);
    },
    async lane(id) {
      alive();
      return lanes.read(id);
    },
    mark: async (id, epoch, changed) => rows().mark(id, epoch, changed),
    resume: async (id) => rows().resume(id),
    async recover(id): Promise<Recovered> {
      alive();
      return {
        positions: positions(id),
        parkedKeys: parked.keys(id.service).filter((row) => row.partition % id.lanes === id.lane),
        sent: sending.sent(id),
        outbox: sending.destinations(id),
        said: parked.idsOf(id.service, saidBy(id)),
        nextTimerMs: timers.nextMs(id),
      };
    },
    commit(batch) {
      const job = new CommitJob(batch, to);
      try {
        writer().submit(job);
      } catch (error) {
        job.failed(error as Error);
      }
      return job.commit;
    },

    load: (service, keys) => now(() => load(service, keys)),
    timers: (id, dueMs, limit) => now(() => timers.due(id, dueMs, limit)),
    nextTimer: (id) => now(() => timers.nextMs(id)),
    effectHeads: (id, dueMs, limit, except) => now(() => effects.heads(id, dueMs, limit, except)),
    nextEffect: (service, after) => now(() => effects.behind(service, after)),
    nextEffectDue: (id) => now(() => effects.nextDueMs(id, file.nowMs())),
    outbox: (id, destination, afterN, limit) => now(() => sending.outbox(id, destination, afterN, limit)),
    trimOutbox: async (id, upTo) => trimOutbox(writer(), id, upTo),
    parkedKeys: (service) => now(() => parked.keys(service)),
    parked: (service, partition, key, afterSeq, limit) =>
      now(() => parked.inputs(service, partition, key, afterSeq, limit)),
    seen: (service, keys) => now(() => parked.seen(service, keys)),
    async forgetSeen(service, beforeMs, limit) {
      alive();
      const { rows: old } = connection.get<{ rows: number }>(
        "select count(*) as rows from (select 1 from seen where service = ? and at_ms < ? limit ?)",
        service,
        beforeMs,
        limit,
      )!;
      if (old > 0) await runAlone(writer(), "seenForget", [service, beforeMs, limit]);
      return old;
    },

    async [Symbol.asyncDispose]() {
      closed = true;
    },
  };
}

async function trimOutbox(committer: Committer, { service, lane }: LaneId, upTo: readonly SentRow[]): Promise<void> {
  const cells = upTo.flatMap(({ topic, partition, n }): Cell[] => [service, lane, topic, partition, n]);
  if (cells.length > 0) await runAlone(committer, "outboxTrim", cells);
}

/** Writes something that no row in memory stands for. */
async function runAlone(committer: Committer, write: WriteName, cells: Cell[]): Promise<void> {
  await change(
    committer,
    () => cells,
    (wave) => wave.extra.push({ write, cells }),
  );
}
