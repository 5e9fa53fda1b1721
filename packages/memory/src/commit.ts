import {
  WaybillError,
  type Batch,
  type EffectRow,
  type LaneRow,
  type ParkedInput,
  type StateWrite,
} from "@waybill/messaging";
import { destinationOf, keyOf, laneOf, tablesOf, type Database, type Tables } from "./tables.ts";

/** Writes a batch whole, or throws NOT_OWNER, STATE_CONFLICT or BATCH_REFUSED and has written nothing. Keeps the batch's own rows. */
export function commit(db: Database, batch: Batch): void {
  const tables = tablesOf(db, batch.service);
  const lane = laneOf(tables, batch);
  fence(lane, batch);
  for (const write of batch.states) refuseConflict(tables, batch.service, write);
  db.logs?.appendWhole(batch.messages.filter(({ topic }) => isHosted(db, topic)));
  tables.lanes[batch.lane] = {
    ...lane,
    batch: lane.batch + 1,
    nextN: lane.nextN + batch.count,
    timeMs: Math.max(lane.timeMs, batch.timeMs),
    level: Math.max(lane.level, batch.level),
    tries: 0,
    suspect: undefined,
  };
  for (const row of batch.positions) tables.positions.set(keyOf(row.topic, row.partition), row);
  for (const write of batch.states) writeState(tables, write);
  writeMessages(db, tables, batch);
  writeTimers(tables, batch);
  writeEffects(tables, batch);
  writeParked(tables, batch);
  for (const row of batch.seen) tables.seen.set(keyOf(row.source, row.id), row);
}

function fence(lane: LaneRow, batch: Batch): void {
  if (lane.epoch === batch.epoch && lane.batch === batch.batch) return;
  throw new WaybillError(
    "NOT_OWNER",
    `Lane ${batch.lane} of "${batch.service}" is at epoch ${lane.epoch} and batch ${lane.batch}; ` +
      `the commit was for epoch ${batch.epoch} and batch ${batch.batch}.`,
    { details: { service: batch.service, lane: batch.lane, epoch: lane.epoch, batch: lane.batch } },
  );
}

function refuseConflict(tables: Tables, service: string, { kind, id, version }: StateWrite): void {
  const stored = tables.states.get(keyOf(kind, id))?.version ?? 0;
  if (stored === version - 1) return;
  throw new WaybillError(
    "STATE_CONFLICT",
    `State ${kind} "${id}" of "${service}" is at version ${stored}; the commit expected ${version - 1}.`,
    { details: { service, kind, id, stored, expected: version - 1 } },
  );
}

function writeState(tables: Tables, { kind, id, home, version, schema, body }: StateWrite): void {
  const key = keyOf(kind, id);
  if (body === undefined) tables.states.delete(key);
  else tables.states.set(key, { kind, id, home, version, schema, body });
}

export function isHosted(db: Database, topic: string): boolean {
  return db.logs?.has(topic) === true;
}

function writeMessages(db: Database, tables: Tables, batch: Batch): void {
  for (const message of batch.messages) {
    if (isHosted(db, message.topic)) continue;
    destinationOf(tables, batch.lane, message.topic, message.partition).messages.push(message);
  }
  for (const row of batch.sent) destinationOf(tables, batch.lane, row.topic, row.partition).sent = row;
}

function writeTimers(tables: Tables, { timers }: Batch): void {
  for (const { partition, key, name } of timers.cleared) tables.timers.delete(keyOf(partition, key, name));
  for (const row of timers.set) tables.timers.set(keyOf(row.partition, row.key, row.name), row);
}

function writeEffects(tables: Tables, { effects }: Batch): void {
  const queueOf = (row: { partition: number; key: string; queue: string }) => keyOf(row.partition, row.key, row.queue);
  for (const row of effects.retried) replace(tables.effects.get(queueOf(row)) ?? [], row);
  for (const row of effects.done) remove(tables.effects, queueOf(row), row.seq);
  for (const row of effects.added) insert(tables.effects, queueOf(row), row);
}

function writeParked(tables: Tables, { parked }: Batch): void {
  const nameOf = (row: { partition: number; key: string }) => keyOf(row.partition, row.key);
  for (const row of parked.removed) remove(tables.parked, nameOf(row), row.seq);
  for (const row of parked.added) insert(tables.parked, nameOf(row), row);
  for (const row of parked.released) tables.parkedKeys.delete(nameOf(row));
  for (const row of parked.keys) tables.parkedKeys.set(nameOf(row), row);
}

type Numbered = EffectRow | ParkedInput;

/** Puts a row at its place among those of its list. */
function insert<Row extends Numbered>(lists: Map<string, Row[]>, name: string, row: Row): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [row]);
  else {
    const behind = list.findIndex((other) => other.seq > row.seq);
    list.splice(behind === -1 ? list.length : behind, 0, row);
  }
}

function replace<Row extends Numbered>(list: Row[], row: Row): void {
  const at = list.findIndex((other) => other.seq === row.seq);
  if (at !== -1) list[at] = row;
}

function remove<Row extends Numbered>(lists: Map<string, Row[]>, name: string, seq: number): void {
  const rest = (lists.get(name) ?? []).filter((row) => row.seq !== seq);
  if (rest.length === 0) lists.delete(name);
  else lists.set(name, rest);
}
