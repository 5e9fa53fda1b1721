import {
  saidBy,
  type LaneId,
  type OutboxDestination,
  type ParkedKey,
  type PositionRow,
  type Recovered,
  type SentRow,
} from "@waybill/messaging";
import type { Database } from "./database.ts";

interface Row {
  readonly positions: readonly (Omit<PositionRow, "marks"> & { readonly marks: string })[];
  readonly keys: readonly ParkedKey[];
  readonly sent: readonly SentRow[];
  readonly outbox: readonly OutboxDestination[];
  readonly said: readonly { readonly id: string }[];
  readonly timer: number | null;
}

/** All that a new owner must know, with one question: a lane that changes hands is waited for. */
export function recovery(database: Database, schema: string): (id: LaneId) => Promise<Recovered> {
  const text = statementOf(schema);
  return async (id) => {
    const { service, lane, lanes } = id;
    const [row] = await database.rows<Row>({ name: "recover", text }, [service, lane, lanes, saidBy(id)]);
    const { positions, keys, sent, outbox, said, timer } = row!;
    return {
      positions: positions.map(positionOf),
      parkedKeys: keys.map(parkedKeyOf),
      sent,
      outbox,
      said: said.map((one) => one.id),
      nextTimerMs: timer ?? undefined,
    };
  };
}

/** Columns of parked keys, by the names of their fields. */
export const parkedKeyColumns = `partition, key, since_ms as "sinceMs", attempts, due_ms as "dueMs", build, fingerprint,
  error`;

function statementOf(schema: string): string {
  const list = (query: string): string => `coalesce((select json_agg(r) from (${query}) as r), '[]')`;
  const owned = "service = $1 and partition % $3::int = $2::int";
  return `select
    ${list(`select topic, partition, log_id as "logId", next_offset as "nextOffset", last_offset as "lastOffset",
      last_id as "lastId", marks from ${schema}.position where ${owned}`)} as positions,
    ${list(`select ${parkedKeyColumns} from ${schema}.parked_key where ${owned}`)} as keys,
    ${list(`select topic, partition, n, log_id as "logId", last_offset as "lastOffset" from ${schema}.sent
      where service = $1 and lane = $2`)} as sent,
    ${list(outboxDestinations(schema))} as outbox,
    ${list(`select id from ${schema}.seen where service = $1 and source = $4`)} as said,
    (${nextTimer(schema)}) as timer`;
}

/** Jumps from destination to destination: the rows between them may be many. */
function outboxDestinations(schema: string): string {
  const first = (above: string): string => `(select topic, partition from ${schema}.outbox
    where service = $1 and lane = $2 ${above} order by topic, partition limit 1)`;
  const end = (column: string, way: string): string => `(select ${column} from ${schema}.outbox as o
    where o.service = $1 and o.lane = $2 and o.topic = d.topic and o.partition = d.partition
    order by o.last_n ${way} limit 1)`;
  return `with recursive d as (
      ${first("")}
      union all
      select n.topic, n.partition from d cross join lateral
        ${first("and (topic, partition) > (d.topic, d.partition)")} as n
    ) select topic, partition, ${end("first_n", "asc")} as "firstN", ${end("last_n", "desc")} as "lastN" from d`;
}

/** When a lane's earliest timer is due: the earliest of the earliest of its partitions. */
export function nextTimer(schema: string): string {
  return `select min(due) from ${partitionsOf(schema, "timer")} as p cross join lateral
    (select due_ms as due from ${schema}.timer where service = $1 and partition = p order by due_ms limit 1) as t`;
}

/** A lane's partitions, as far as a table has rows of them; of a service $1, a lane $2 and a number of lanes $3. */
export function partitionsOf(schema: string, table: "timer" | "effect"): string {
  return `generate_series($2::int, (select partition from ${schema}.${table}
    where service = $1 order by partition desc limit 1), $3::int)`;
}

function positionOf({ marks, lastOffset, lastId, ...row }: Row["positions"][number]): PositionRow {
  return {
    ...row,
    lastOffset: lastOffset ?? undefined,
    lastId: lastId ?? undefined,
    marks: JSON.parse(marks) as PositionRow["marks"],
  };
}

export function parkedKeyOf(row: ParkedKey): ParkedKey {
  return { ...row, dueMs: row.dueMs ?? undefined };
}
