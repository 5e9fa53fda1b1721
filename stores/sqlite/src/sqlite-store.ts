import type { LaneId, Recovered, SentRow, Store } from "@waybill/messaging";
import { change } from "./change.ts";
import { CommitJob } from "./commit-job.ts";
import type { Committer } from "./committer.ts";
import type { EmbeddedFile } from "./file.ts";
import { Overlay } from "./fold.ts";
import { laneJobs } from "./lane-jobs.ts";
import { effectReads } from "./read-effects.ts";
import { parkedReads } from "./read-parked.ts";
import { positionReads } from "./read-positions.ts";
import { sendingReads } from "./read-sending.ts";
import { stateReads } from "./read-states.ts";
import { timerReads } from "./read-timers.ts";
import type { Cell, WriteName } from "./tables.ts";
import type { Wave } from "./wave.ts";

/** The database of the services of one process: the embedded engine's file. Closing it closes nothing but itself. */
export function sqliteStore(file: EmbeddedFile): Store {
  const { connection, lanes, log, world } = file;
  const waves = (): readonly Wave[] => (file.readOnly ? [] : file.writer().waves);
  const states = stateReads(connection, waves);
  const positions = positionReads(connection, new Overlay(() => waves().map((wave) => wave.positions)));
  const sending = sendingReads(
    connection,
    new Overlay(() => waves().map((wave) => wave.outbox)),
    new Overlay(() => waves().map((wave) => wave.sent)),
  );
  const timers = timerReads(connection, new Overlay(() => waves().map((wave) => wave.timers)));
  const effects = effectReads(connection, new Overlay(() => waves().map((wave) => wave.effects)));
  const parked = parkedReads(
    connection,
    new Overlay(() => waves().map((wave) => wave.parked)),
    new Overlay(() => waves().map((wave) => wave.parkedKeys)),
    new Overlay(() => waves().map((wave) => wave.seen)),
  );
  const to = { lanes, log, versionOf: states.versionOf };
  const rows = (): ReturnType<typeof laneJobs> => laneJobs(lanes, file.writer());

  return {
    nowMs: file.nowMs,
    hosts: (topic) => log.topics.has(topic),

    declare: async (service, count, newSource) => rows().declare(service, count, newSource),
    async join(member, ttlMs) {
      file.writer();
      lanes.join(member, world.monotonicMs() + ttlMs);
    },
    async renew(id, ttlMs) {
      file.writer();
      return lanes.renew(id, world.monotonicMs(), world.monotonicMs() + ttlMs);
    },
    async leave(id) {
      lanes.leave(id);
    },
    async survey(services) {
      file.look();
      return { lanes: lanes.of(services), members: lanes.members(world.monotonicMs()) };
    },

    claim: async (id, memberId, level, seenEpoch) => rows().claim(id, memberId, level, seenEpoch, world.monotonicMs),
    release: async (id, epoch) => rows().release(id, epoch),
    async lane(id) {
      file.look();
      return lanes.read(id);
    },
    mark: async (id, epoch, changed) => rows().mark(id, epoch, changed),
    resume: async (id) => rows().resume(id),
    async recover(id): Promise<Recovered> {
      file.look();
      return {
        positions: positions(id),
        parkedKeys: parked.keys(id.service).filter((row) => row.partition % id.lanes === id.lane),
        sent: sending.sent(id),
        outbox: sending.destinations(id),
        nextTimerMs: timers.nextMs(id),
      };
    },
    commit(batch) {
      const job = new CommitJob(batch, to);
      file.writer().submit(job);
      return job.commit;
    },

    load: async (service, keys) => states.load(service, keys),
    timers: async (id, dueMs, limit) => timers.due(id, dueMs, limit),
    nextTimer: async (id) => timers.nextMs(id),
    effectHeads: async (id, dueMs, limit, except) => effects.heads(id, dueMs, limit, except),
    nextEffect: async (service, after) => effects.behind(service, after),
    nextEffectDue: async (id) => effects.nextDueMs(id, file.nowMs()),
    outbox: async (id, destination, afterN, limit) => sending.outbox(id, destination, afterN, limit),
    trimOutbox: async (id, upTo) => trimOutbox(file.writer(), id, upTo),
    parkedKeys: async (service) => parked.keys(service),
    parked: async (service, partition, key, afterSeq, limit) => parked.inputs(service, partition, key, afterSeq, limit),
    seen: async (service, keys) => parked.seen(service, keys),
    async forgetSeen(service, beforeMs, limit) {
      const { rows: old } = connection.get<{ rows: number }>(
        "select count(*) as rows from (select 1 from seen where service = ? and at_ms < ? limit ?)",
        service,
        beforeMs,
        limit,
      )!;
      if (old > 0) await runAlone(file.writer(), "seenForget", [service, beforeMs, limit]);
      return old;
    },

    async [Symbol.asyncDispose]() {},
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
