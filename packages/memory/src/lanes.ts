import { WaybillError, type LaneId, type LaneRow, type Member, type Store } from "@waybill/messaging";
import { emptyTables, laneOf, tablesOf, type Database, type Tables } from "./tables.ts";

export function declare(db: Database, service: string, lanes: number, newSource: () => string): void {
  const found = db.contents.services.get(service)?.lanes.length;
  if (found === undefined) {
    const rows = Array.from({ length: lanes }, (_, lane) => newLane(service, lane, newSource()));
    db.contents.services.set(service, emptyTables(rows));
  } else if (found !== lanes) {
    throw new WaybillError(
      "CONTRACT_INVALID",
      `Service "${service}" has ${found} lanes in this store; ${lanes} were declared.`,
    );
  }
}

function newLane(service: string, lane: number, source: string): LaneRow {
  return { service, lane, source, epoch: 0, batch: 0, nextN: 1, timeMs: 0, level: 0, tries: 0 };
}

export function join(db: Database, member: Member, ttlMs: number): void {
  db.contents.members.set(member.id, { member, untilMs: db.nowMs() + ttlMs });
}

export function renew(db: Database, memberId: string, ttlMs: number): boolean {
  const row = db.contents.members.get(memberId);
  if (row === undefined || !isLive(db, memberId)) return false;
  db.contents.members.set(memberId, { ...row, untilMs: db.nowMs() + ttlMs });
  return true;
}

export function leave(db: Database, memberId: string): void {
  const services = db.contents.members.get(memberId)?.member.services ?? [];
  db.contents.members.delete(memberId);
  tell(db, services);
}

export function watch(db: Database, services: readonly string[], freed: () => void): AsyncDisposable {
  const watcher = { services, freed };
  db.watchers.add(watcher);
  return {
    async [Symbol.asyncDispose]() {
      db.watchers.delete(watcher);
    },
  };
}

function tell(db: Database, services: readonly string[]): void {
  for (const watcher of db.watchers) {
    if (watcher.services.some((service) => services.includes(service))) queueMicrotask(watcher.freed);
  }
}

export function survey(db: Database, services: readonly string[]): Awaited<ReturnType<Store["survey"]>> {
  const members = [...db.contents.members.values()].map(({ member }) => member);
  return {
    lanes: services.flatMap((service) => db.contents.services.get(service)?.lanes ?? []),
    members: members.filter(({ id }) => isLive(db, id)),
  };
}

function isLive(db: Database, memberId: string): boolean {
  const row = db.contents.members.get(memberId);
  return row !== undefined && row.untilMs > db.nowMs();
}

export function claim(
  db: Database,
  id: LaneId,
  memberId: string,
  level: number,
  seenEpoch: number,
): LaneRow | undefined {
  const tables = tablesOf(db, id.service);
  const row = laneOf(tables, id);
  const free = row.owner === undefined || row.owner === memberId || !isLive(db, row.owner);
  if (!free || row.epoch !== seenEpoch || row.level > level || row.stopped !== undefined) return undefined;
  const epoch = Math.max(row.epoch + 1, Math.floor(db.nowMs()));
  return put(tables, { ...row, owner: memberId, epoch, tries: row.tries + 1 });
}

export function release(db: Database, id: LaneId, epoch: number): void {
  const tables = tablesOf(db, id.service);
  const row = laneOf(tables, id);
  if (row.epoch !== epoch) return;
  put(tables, { ...row, owner: undefined });
  tell(db, [id.service]);
}

export function mark(db: Database, id: LaneId, epoch: number, change: Parameters<Store["mark"]>[2]): boolean {
  const tables = tablesOf(db, id.service);
  const row = laneOf(tables, id);
  if (row.epoch !== epoch) return false;
  const { source = row.source, suspect = row.suspect, stopped = row.stopped } = change;
  put(tables, { ...row, source, suspect: suspect ?? undefined, stopped: stopped ?? undefined });
  return true;
}

export function resume(db: Database, id: LaneId): void {
  const tables = tablesOf(db, id.service);
  put(tables, { ...laneOf(tables, id), stopped: undefined });
}

function put(tables: Tables, row: LaneRow): LaneRow {
  tables.lanes[row.lane] = row;
  return row;
}
