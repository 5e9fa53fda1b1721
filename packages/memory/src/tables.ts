import {
  WaybillError,
  type EffectRow,
  type LaneId,
  type LaneRow,
  type Member,
  type OutgoingMessage,
  type ParkedInput,
  type ParkedKey,
  type PositionRow,
  type SeenRow,
  type SentRow,
  type StateRow,
  type TimerRow,
} from "@waybill/messaging";
import type { MemoryTransport } from "./memory-transport.ts";

export interface MemberRow {
  readonly member: Member;
  /** It has expired when the clock reaches this. */
  readonly untilMs: number;
}

/** What is stored of one service. Maps are keyed by `keyOf` of the row's key. */
export interface Tables {
  /** By number. */
  readonly lanes: LaneRow[];
  readonly positions: Map<string, PositionRow>;
  readonly states: Map<string, StateRow>;
  /** By lane, topic and partition, in order of `n`. */
  readonly outbox: Map<string, Destination>;
  readonly timers: Map<string, TimerRow>;
  /** By partition, key and queue, in order of `seq`. */
  readonly effects: Map<string, EffectRow[]>;
  /** By partition and key, in order of `seq`. */
  readonly parked: Map<string, ParkedInput[]>;
  readonly parkedKeys: Map<string, ParkedKey>;
  readonly seen: Map<string, SeenRow>;
}

/** A lane's messages to one partition, and how far they are confirmed. */
export interface Destination {
  readonly lane: number;
  readonly topic: string;
  readonly partition: number;
  readonly messages: OutgoingMessage[];
  sent: SentRow | undefined;
}

/** All that a snapshot holds. */
export interface Contents {
  readonly members: Map<string, MemberRow>;
  readonly services: Map<string, Tables>;
}

/** What all handles of one in-memory store share. */
export interface Database {
  contents: Contents;
  readonly nowMs: () => number;
  /** The logs that lie in this store. */
  readonly logs: MemoryTransport | undefined;
  /** Who wants to hear that a lane of a service is free. */
  readonly watchers: Set<Watcher>;
}

export interface Watcher {
  readonly services: readonly string[];
  readonly freed: () => void;
}

export function emptyTables(lanes: LaneRow[]): Tables {
  return {
    lanes,
    positions: new Map(),
    states: new Map(),
    outbox: new Map(),
    timers: new Map(),
    effects: new Map(),
    parked: new Map(),
    parkedKeys: new Map(),
    seen: new Map(),
  };
}

/** One text for several parts, another one for any other parts. */
export function keyOf(...parts: readonly (string | number)[]): string {
  let key = "";
  // A text is told from what follows it by its length, and from a number by its colon.
  for (const part of parts) key += typeof part === "number" ? `${part},` : `${part.length}:${part}`;
  return key;
}

export function tablesOf(db: Database, service: string): Tables {
  const tables = db.contents.services.get(service);
  if (tables !== undefined) return tables;
  throw new WaybillError("CONTRACT_INVALID", `Service "${service}" is not declared in this store.`);
}

export function laneOf(tables: Tables, id: LaneId): LaneRow {
  const row = tables.lanes[id.lane];
  if (row !== undefined && tables.lanes.length === id.lanes) return row;
  throw new WaybillError(
    "CONTRACT_INVALID",
    `Service "${id.service}" has ${tables.lanes.length} lanes here; lane ${id.lane} of ${id.lanes} was asked for.`,
  );
}

/** Whether a lane owns a partition. */
export function owns(id: LaneId, row: { readonly partition: number }): boolean {
  return row.partition % id.lanes === id.lane;
}

export function destinationOf(tables: Tables, lane: number, topic: string, partition: number): Destination {
  const key = keyOf(lane, topic, partition);
  const found = tables.outbox.get(key);
  if (found !== undefined) return found;
  const made: Destination = { lane, topic, partition, messages: [], sent: undefined };
  tables.outbox.set(key, made);
  return made;
}
