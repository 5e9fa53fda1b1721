import type { EffectRow, ParkedInput, ParkedKey, StateRow, Store, TimerRow } from "@waybill/messaging";
import { texts } from "./arrays.ts";
import type { Database } from "./database.ts";
import type { BodyForm } from "./seldom.ts";
import { nextTimer, parkedKeyColumns, parkedKeyOf, partitionsOf } from "./recover.ts";

type Reads = Pick<
  Store,
  | "load"
  | "timers"
  | "nextTimer"
  | "effectHeads"
  | "nextEffect"
  | "nextEffectDue"
  | "parkedKeys"
  | "parked"
  | "seen"
  | "forgetSeen"
>;

/** What lanes and operators ask. Each is one statement that goes through an index, however large the tables are. */
export function reads(database: Database, schema: string): Reads {
  const statements = statementsOf(schema);
  const ask = <Row>(name: keyof typeof statements, values: unknown[]): Promise<Row[]> =>
    database.rows<Row>({ name, text: statements[name] }, values);

  return {
    async load(service, keys) {
      if (keys.length === 0) return [];
      const kinds = texts(keys.map(({ kind }) => kind));
      return await ask<StateRow>("load", [service, kinds, texts(keys.map(({ id }) => id))]);
    },
    timers: ({ service, lane, lanes }, dueMs, limit) => ask<TimerRow>("timers", [service, lane, lanes, dueMs, limit]),
    async nextTimer({ service, lane, lanes }) {
      const [row] = await ask<{ min: number | null }>("nextTimer", [service, lane, lanes]);
      return row?.min ?? undefined;
    },
    async effectHeads({ service, lane, lanes }, dueMs, limit, except) {
      const without = texts(except) ?? "{}";
      const rows = await ask<EffectRow>("effectHeads", [service, lane, lanes, dueMs, limit, without]);
      return rows.map(effectOf);
    },
    async nextEffect(service, { partition, key, queue, seq }) {
      const [row] = await ask<EffectRow>("nextEffect", [service, partition, key, queue, seq]);
      return row === undefined ? undefined : effectOf(row);
    },
    async nextEffectDue({ service, lane, lanes }) {
      const nowMs = database.clock.nowMs();
      const [row] = await ask<{ min: number | null }>("nextEffectDue", [service, lane, lanes, nowMs]);
      return row?.min ?? undefined;
    },
    async parkedKeys(service) {
      return (await ask<ParkedKey>("parkedKeys", [service])).map(parkedKeyOf);
    },
    async parked(service, partition, key, afterSeq, limit) {
      return (await ask<ParkedColumns>("parked", [service, partition, key, afterSeq, limit])).map(parkedOf);
    },
    async seen(service, keys) {
      if (keys.length === 0) return [];
      const sources = texts(keys.map(({ source }) => source));
      return await ask("seen", [service, sources, texts(keys.map(({ id }) => id))]);
    },
    async forgetSeen(service, beforeMs, limit) {
      const [row] = await ask<{ count: number }>("forgetSeen", [service, beforeMs, limit]);
      return row?.count ?? 0;
    },
  };
}

const timerColumns = `partition, key, name, due_ms as "dueMs", schema, body, correlation, causation`;
const effectColumns = `partition, key, queue, seq, id, name, schema, input, attempts, first_ms as "firstMs",
  due_ms as "dueMs", error, correlation, causation, traceparent`;

function statementsOf(schema: string) {
  return {
    // "offset 0" keeps the look-up of each key what it is: a way through the index.
    load: `select s.* from unnest($2::text[], $3::text[]) as k(kind, id) cross join lateral (
        select kind, id, home, version, schema, body from ${schema}.state as t
         where t.service = $1 and t.kind = k.kind and t.id = k.id offset 0) as s`,
    timers: `select ${timerColumns} from ${schema}.due_timers_1($1, $2, $3, $4, $5)`,
    nextTimer: nextTimer(schema),
    effectHeads: `select ${effectColumns} from ${schema}.due_effects_1($1, $2, $3, $4, $5, $6)`,
    nextEffect: `select ${effectColumns} from ${schema}.effect
      where service = $1 and partition = $2 and key = $3 and queue = $4 and seq > $5 order by seq limit 1`,
    nextEffectDue: `select min(due) from ${partitionsOf(schema, "effect")} as p cross join lateral (
        select due_ms as due from ${schema}.effect
         where service = $1 and partition = p and head and due_ms > $4 order by due_ms limit 1) as t`,
    parkedKeys: `select ${parkedKeyColumns} from ${schema}.parked_key where service = $1`,
    parked: `select partition, key, seq, kind, origin, id, type, headers, body, form
        from ${schema}.parked where service = $1 and partition = $2 and key = $3 and seq > $4 order by seq limit $5`,
    seen: `select k.source, k.id from unnest($2::text[], $3::text[]) as k(source, id)
      where exists (select from ${schema}.seen as s where s.service = $1 and s.source = k.source and s.id = k.id offset 0)`,
    forgetSeen: `with old as (select source, id from ${schema}.seen where service = $1 and at_ms < $2
          order by at_ms limit $3),
        gone as (delete from ${schema}.seen as s using old
          cross join lateral (select l.ctid from ${schema}.seen as l
            where service = $1 and l.source = old.source and l.id = old.id offset 0) as f
          where s.ctid = f.ctid returning 1)
      select count(*) from gone`,
  } as const;
}

/** A row's columns are null where a field is absent. */
function effectOf(row: EffectRow): EffectRow {
  return {
    ...row,
    firstMs: row.firstMs ?? undefined,
    error: row.error ?? undefined,
    traceparent: row.traceparent ?? undefined,
  };
}

type ParkedColumns = Omit<ParkedInput, "body"> & { readonly body: Buffer; readonly form: BodyForm };

function parkedOf({ body, form, ...row }: ParkedColumns): ParkedInput {
  return { ...row, body: form === "bytes" ? new Uint8Array(body) : body.toString(form) };
}
