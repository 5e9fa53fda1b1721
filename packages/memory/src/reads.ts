import { saidBy } from "@waybill/messaging";
import type {
  EffectKey,
  EffectRow,
  LaneId,
  OutboxDestination,
  OutgoingMessage,
  ParkedInput,
  Recovered,
  SeenRow,
  SentRow,
  StateKey,
  StateRow,
  TimerRow,
  TopicPartition,
} from "@waybill/messaging";
import { keyOf, laneOf, owns, tablesOf, type Database, type Destination } from "./tables.ts";

export function recover(db: Database, id: LaneId): Recovered {
  const tables = tablesOf(db, id.service);
  laneOf(tables, id);
  const destinations = [...tables.outbox.values()].filter(({ lane }) => lane === id.lane);
  return {
    positions: [...tables.positions.values()].filter((row) => owns(id, row)),
    parkedKeys: [...tables.parkedKeys.values()].filter((row) => owns(id, row)),
    sent: destinations.flatMap(({ sent }) => sent ?? []),
    outbox: destinations.flatMap(rangeOf),
    said: [...tables.seen.values()].flatMap((row) => (row.source === saidBy(id) ? row.id : [])),
    nextTimerMs: nextTimer(db, id),
  };
}

function rangeOf({ topic, partition, messages }: Destination): OutboxDestination[] {
  if (messages.length === 0) return [];
  return [{ topic, partition, firstN: messages[0]!.stamp.n, lastN: messages.at(-1)!.stamp.n }];
}

export function load(db: Database, service: string, keys: readonly StateKey[]): StateRow[] {
  const { states } = tablesOf(db, service);
  return keys.flatMap(({ kind, id }) => states.get(keyOf(kind, id)) ?? []);
}

export function timers(db: Database, id: LaneId, dueMs: number, limit: number): TimerRow[] {
  const due = timersOf(db, id).filter((row) => row.dueMs <= dueMs);
  return due.toSorted((a, b) => a.dueMs - b.dueMs).slice(0, limit);
}

export function nextTimer(db: Database, id: LaneId): number | undefined {
  return earliest(timersOf(db, id));
}

function timersOf(db: Database, id: LaneId): TimerRow[] {
  return [...tablesOf(db, id.service).timers.values()].filter((row) => owns(id, row));
}

export function effectHeads(
  db: Database,
  id: LaneId,
  dueMs: number,
  limit: number,
  except: ReadonlySet<string>,
): EffectRow[] {
  const due = headsOf(db, id).filter((row) => row.dueMs <= dueMs && !except.has(row.id));
  return due.toSorted((a, b) => a.dueMs - b.dueMs).slice(0, limit);
}

export function nextEffect(db: Database, service: string, after: EffectKey): EffectRow | undefined {
  const queue = tablesOf(db, service).effects.get(keyOf(after.partition, after.key, after.queue));
  return queue?.find((row) => row.seq > after.seq);
}

export function nextEffectDue(db: Database, id: LaneId): number | undefined {
  return earliest(headsOf(db, id).filter((row) => row.dueMs > db.nowMs()));
}

function headsOf(db: Database, id: LaneId): EffectRow[] {
  const heads = [...tablesOf(db, id.service).effects.values()].map((queue) => queue[0]!);
  return heads.filter((row) => owns(id, row));
}

function earliest(rows: readonly { readonly dueMs: number }[]): number | undefined {
  return rows.length === 0 ? undefined : rows.reduce((least, { dueMs }) => Math.min(least, dueMs), Infinity);
}

export function outbox(
  db: Database,
  id: LaneId,
  { topic, partition }: TopicPartition,
  afterN: number,
  limit: number,
): OutgoingMessage[] {
  const messages = tablesOf(db, id.service).outbox.get(keyOf(id.lane, topic, partition))?.messages ?? [];
  const first = messages.findIndex((message) => message.stamp.n > afterN);
  return first === -1 ? [] : messages.slice(first, first + limit);
}

export function trimOutbox(db: Database, id: LaneId, upTo: readonly SentRow[]): void {
  const tables = tablesOf(db, id.service);
  for (const { topic, partition, n } of upTo) {
    const messages = tables.outbox.get(keyOf(id.lane, topic, partition))?.messages ?? [];
    const kept = messages.findIndex((message) => message.stamp.n > n);
    messages.splice(0, kept === -1 ? messages.length : kept);
  }
}

export function parked(
  db: Database,
  service: string,
  place: { readonly partition: number; readonly key: string },
  afterSeq: number,
  limit: number,
): ParkedInput[] {
  const queue = tablesOf(db, service).parked.get(keyOf(place.partition, place.key)) ?? [];
  return queue.filter((row) => row.seq > afterSeq).slice(0, limit);
}

export function seen(db: Database, service: string, keys: readonly Pick<SeenRow, "source" | "id">[]): typeof keys {
  const tables = tablesOf(db, service);
  return keys.filter(({ source, id }) => tables.seen.has(keyOf(source, id)));
}

export function forgetSeen(db: Database, service: string, beforeMs: number, limit: number): number {
  const tables = tablesOf(db, service);
  const old = [...tables.seen].filter(([, row]) => row.atMs < beforeMs).slice(0, limit);
  for (const [key] of old) tables.seen.delete(key);
  return old.length;
}
