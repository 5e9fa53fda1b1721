import { WaybillError, type LaneId, type LaneRow } from "@waybill/messaging";
import { change } from "./change.ts";
import type { Committer } from "./committer.ts";
import type { Lanes } from "./lanes.ts";
import { laneName, type StoredLane } from "./wave.ts";

interface LaneMark {
  readonly source?: string;
  readonly suspect?: string | null;
  readonly stopped?: string | null;
}

/** Changes to the rows of lanes, made whole and durable outside a batch. */
export function laneJobs(lanes: Lanes, committer: Committer) {
  function changeRow(id: LaneId, next: (row: LaneRow) => LaneRow | undefined): Promise<StoredLane | undefined> {
    const enter = (): StoredLane | undefined => {
      const stored = lanes.get(id);
      const row = next(stored.row);
      if (row === undefined) return undefined;
      const changed = { ...stored, row };
      lanes.put(changed);
      return changed;
    };
    return change(committer, enter, (wave, stored) => wave.lanes.set(laneName(id), stored));
  }

  return {
    async declare(service: string, count: number, newSource: () => string): Promise<void> {
      await change(
        committer,
        () => {
          const known = lanes.lanesOf(service);
          if (known === count) return undefined;
          if (known !== undefined) throw otherCount(service, known, count);
          const made = Array.from({ length: count }, (_, lane) => newLane(service, lane, count, newSource()));
          for (const stored of made) lanes.put(stored);
          return made;
        },
        (wave, made) => {
          for (const stored of made) wave.lanes.set(laneName(stored.row), stored);
        },
      );
    },

    async claim(
      id: LaneId,
      owner: string,
      level: number,
      seenEpoch: number,
      clocks: { readonly nowMs: () => number; readonly monotonicMs: () => number },
    ): Promise<LaneRow | undefined> {
      const claimed = await changeRow(id, (row) => {
        const free = row.owner === undefined || row.owner === owner || !lanes.isLive(row.owner, clocks.monotonicMs());
        if (row.epoch !== seenEpoch || row.level > level || row.stopped !== undefined || !free) return undefined;
        return { ...row, owner, epoch: Math.max(row.epoch + 1, Math.floor(clocks.nowMs())), tries: row.tries + 1 };
      });
      if (claimed !== undefined) lanes.read(id);
      return claimed?.row;
    },

    async release(id: LaneId, epoch: number): Promise<void> {
      await changeRow(id, (row) => (row.epoch === epoch ? { ...row, owner: undefined } : undefined));
    },

    async mark(id: LaneId, epoch: number, { source, suspect, stopped }: LaneMark): Promise<boolean> {
      const marked = await changeRow(id, (row) => {
        if (row.epoch !== epoch) return undefined;
        return {
          ...row,
          source: source ?? row.source,
          suspect: suspect === undefined ? row.suspect : (suspect ?? undefined),
          stopped: stopped === undefined ? row.stopped : (stopped ?? undefined),
        };
      });
      return marked !== undefined;
    },

    async resume(id: LaneId): Promise<void> {
      await changeRow(id, (row) => (row.stopped === undefined ? undefined : { ...row, stopped: undefined, tries: 0 }));
    },
  };
}

function otherCount(service: string, known: number, asked: number): WaybillError {
  return new WaybillError(
    "CONTRACT_INVALID",
    `Service "${service}" has ${known} lanes in this file, not ${asked}. Change the number of lanes with the service stopped.`,
    { details: { service, lanes: known, declared: asked } },
  );
}

function newLane(service: string, lane: number, lanes: number, source: string): StoredLane {
  const counters = { epoch: 0, batch: 0, nextN: 1, timeMs: 0, level: 0, tries: 0 };
  return {
    lanes,
    row: { service, lane, source, owner: undefined, ...counters, suspect: undefined, stopped: undefined },
  };
}
