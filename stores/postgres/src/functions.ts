import { columns, type Group } from "./columns.ts";

const groups = Object.keys(columns) as Group[];

/**
 * A way through an index is chosen also while a table is empty: the plan is kept, and the table grows. A wait for a row
 * that somebody else has locked ends by itself, so that a former owner who was stopped in the middle of a commit holds
 * up nobody for long.
 */
const settings = `
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_memoize = off
  set enable_sort = off set jit = off set plan_cache_mode = force_generic_plan
  set lock_timeout = '2s'`;

/** The arrays of a group as parameters: `made_kind text[], made_id text[]`. */
function parameters(group: Group): string {
  const list = Object.entries(columns[group]).map(([name, type]) => `${group}_${name} ${type}[]`);
  return list.join(", ");
}

/** The arrays of a group as rows, with the names of their columns. */
function rows(group: Group, as: string): string {
  const names = Object.keys(columns[group]);
  return `unnest(${names.map((name) => `${group}_${name}`).join(", ")}) as ${as}(${names.join(", ")})`;
}

/**
 * The rows of a table that rows `u` name, by where they lie. A look-up of each that the planner can neither turn around
 * nor put off: whole keys go through the index, also while statistics say that the table is empty.
 */
function found(schema: string, table: string, keys: readonly string[]): string {
  const same = ["service = of_service", ...keys.map((key) => `l.${key} = u.${key}`)].join(" and ");
  return `cross join lateral (select l.ctid from ${schema}.${table} as l where ${same} offset 0) as f`;
}

/**
 * A batch, in one statement. Nothing is written unless the lane's row has the epoch and the batch's number, and what
 * fails takes everything with it. Parts that are empty are null and cost nothing.
 */
function commitBatch(schema: string): string {
  return `
create function ${schema}.commit_batch_1(
  of_service text, of_lane int, of_epoch bigint, of_batch bigint, of_count bigint, of_time float8, of_level int,
  ${groups.map(parameters).join(",\n  ")},
  seldom json, out fenced boolean, out now_ms float8
) language plpgsql ${settings} as $$
declare
  written bigint;
begin
  now_ms := extract(epoch from clock_timestamp()) * 1000;
  update ${schema}.lane set batch = batch + 1, next_n = next_n + of_count, time_ms = greatest(time_ms, of_time),
    tries = 0, suspect = null, level = greatest(level, of_level)
   where service = of_service and lane = of_lane and epoch = of_epoch and batch = of_batch;
  fenced := found;
  if not fenced then return; end if;

  if position_topic is not null then
    update ${schema}.position as t set log_id = u.log, next_offset = u.next, last_offset = u.last,
      last_id = u.last_id, marks = u.marks
      from ${rows("position", "u")} ${found(schema, "position", ["topic", "partition"])}
     where t.ctid = f.ctid;
    get diagnostics written = row_count;
    if written < cardinality(position_topic) then
      insert into ${schema}.position
        select of_service, u.* from ${rows("position", "u")} on conflict do nothing;
    end if;
  end if;

  if made_kind is not null then
    insert into ${schema}.state select of_service, u.kind, u.id, u.home, 1, u.schema, u.body from ${rows("made", "u")};
  end if;
  if changed_kind is not null then
    update ${schema}.state as t set version = u.version, home = u.home, schema = u.schema, body = u.body
      from ${rows("changed", "u")} ${found(schema, "state", ["kind", "id"])}
     where t.ctid = f.ctid and t.version = u.version - 1;
    get diagnostics written = row_count;
    if written < cardinality(changed_kind) then
      perform ${schema}.refuse_conflict_1(of_service, changed_kind, changed_id, changed_version);
    end if;
  end if;
  if deleted_kind is not null then
    delete from ${schema}.state as t
      using ${rows("deleted", "u")} ${found(schema, "state", ["kind", "id"])}
     where t.ctid = f.ctid and t.version = u.version - 1;
    get diagnostics written = row_count;
    -- Version 1 deletes what was never stored: there must be nothing.
    if written < (select count(*) from unnest(deleted_version) as u(version) where version > 1) or exists (
      select from ${rows("deleted", "u")} ${found(schema, "state", ["kind", "id"])} where u.version = 1
    ) then
      perform ${schema}.refuse_conflict_1(of_service, deleted_kind, deleted_id, deleted_version);
    end if;
  end if;

  if outbox_topic is not null then
    insert into ${schema}.outbox select of_service, of_lane, u.* from ${rows("outbox", "u")};
  end if;
  if sent_topic is not null then
    update ${schema}.sent as t set n = u.n, log_id = u.log, last_offset = u.last
      from ${rows("sent", "u")} cross join lateral (
        select l.ctid from ${schema}.sent as l
         where service = of_service and lane = of_lane and l.topic = u.topic and l.partition = u.partition offset 0
      ) as f
     where t.ctid = f.ctid;
    get diagnostics written = row_count;
    if written < cardinality(sent_topic) then
      insert into ${schema}.sent select of_service, of_lane, u.* from ${rows("sent", "u")} on conflict do nothing;
    end if;
  end if;

  if cleared_key is not null then
    delete from ${schema}.timer as t
      using ${rows("cleared", "u")} ${found(schema, "timer", ["partition", "key", "name"])}
     where t.ctid = f.ctid;
  end if;
  if timer_key is not null then
    insert into ${schema}.timer select of_service, u.* from ${rows("timer", "u")}
      on conflict (service, partition, key, name) do update set due_ms = excluded.due_ms, schema = excluded.schema,
        body = excluded.body, correlation = excluded.correlation, causation = excluded.causation;
  end if;

  if done_key is not null then
    delete from ${schema}.effect as t
      using ${rows("done", "u")} ${found(schema, "effect", ["partition", "key", "queue", "seq"])}
     where t.ctid = f.ctid;
    update ${schema}.effect as t set head = true
      from (select distinct partition, key, queue from ${rows("done", "u")}) as u
      cross join lateral (
        select n.ctid from ${schema}.effect as n
         where n.service = of_service and n.partition = u.partition and n.key = u.key and n.queue = u.queue
         order by n.seq limit 1) as f
     where t.ctid = f.ctid and not t.head;
  end if;
  if effect_key is not null then
    insert into ${schema}.effect
      select of_service, u.partition, u.key, u.queue, u.seq, u.first and not exists (
          select from ${schema}.effect as n
           where n.service = of_service and n.partition = u.partition and n.key = u.key and n.queue = u.queue
             and n.seq < u.seq offset 0),
        u.id, u.name, u.schema, u.input, u.attempts, u.first_ms, u.due, u.error, u.correlation, u.causation,
        u.traceparent
        from ${rows("effect", "u")};
  end if;

  if seen_id is not null then
    insert into ${schema}.seen select of_service, u.* from ${rows("seen", "u")}
      on conflict (service, source, id) do update set at_ms = excluded.at_ms;
  end if;
  if seldom is not null then
    perform ${schema}.commit_seldom_1(of_service, seldom);
  end if;
end $$;
`;
}

/** What few batches have: attempts of effects, and parking. */
function commitSeldom(schema: string): string {
  return `
create function ${schema}.commit_seldom_1(of_service text, seldom json) returns void language plpgsql ${settings} as $$
begin
  if seldom -> 'retried' is not null then
    update ${schema}.effect as t set attempts = u.attempts, first_ms = u."firstMs", due_ms = u."dueMs", error = u.error
      from json_to_recordset(seldom -> 'retried') as u(partition int, key text, queue text, seq bigint, attempts int,
        "firstMs" float8, "dueMs" float8, error text)
      ${found(schema, "effect", ["partition", "key", "queue", "seq"])}
     where t.ctid = f.ctid;
  end if;
  if seldom -> 'removed' is not null then
    delete from ${schema}.parked as t
     using json_to_recordset(seldom -> 'removed') as u(partition int, key text, seq bigint)
      ${found(schema, "parked", ["partition", "key", "seq"])}
     where t.ctid = f.ctid;
  end if;
  if seldom -> 'added' is not null then
    insert into ${schema}.parked
      select of_service, u.partition, u.key, u.seq, u.kind, u.origin, u.id, u.type, u.headers,
          decode(u.body, 'base64'), u.form
        from json_to_recordset(seldom -> 'added') as u(partition int, key text, seq bigint, kind text, origin text,
          id text, type text, headers text, body text, form text);
  end if;
  if seldom -> 'released' is not null then
    delete from ${schema}.parked_key as t
     using json_to_recordset(seldom -> 'released') as u(partition int, key text)
      ${found(schema, "parked_key", ["partition", "key"])}
     where t.ctid = f.ctid;
  end if;
  if seldom -> 'keys' is not null then
    insert into ${schema}.parked_key
      select of_service, u.partition, u.key, u."sinceMs", u.attempts, u."dueMs", u.build, u.fingerprint, u.error
        from json_to_recordset(seldom -> 'keys') as u(partition int, key text, "sinceMs" float8, attempts int,
          "dueMs" float8, build text, fingerprint text, error text)
      on conflict (service, partition, key) do update set since_ms = excluded.since_ms, attempts = excluded.attempts,
        due_ms = excluded.due_ms, build = excluded.build, fingerprint = excluded.fingerprint, error = excluded.error;
  end if;
end $$;
`;
}

/** Fails with the first of these states whose version is not the one that was to be written. */
function refuseConflict(schema: string): string {
  return `
create function ${schema}.refuse_conflict_1(of_service text, kinds text[], ids text[], versions bigint[])
returns void language plpgsql as $$
declare
  bad record;
begin
  select u.kind, u.id, u.version - 1 as expected, coalesce(t.version, 0) as stored into bad
    from unnest(kinds, ids, versions) as u(kind, id, version)
    left join ${schema}.state as t on t.service = of_service and t.kind = u.kind and t.id = u.id
   where coalesce(t.version, 0) <> u.version
   limit 1;
  raise exception using errcode = 'WB001', message = 'a state is at another version', detail = row_to_json(bad);
end $$;
`;
}

/** Makes a service's lanes unless it has any; says how many it has. */
function declareService(schema: string): string {
  return `
create function ${schema}.declare_service_1(of_service text, sources text[]) returns int language plpgsql as $$
declare
  stored int;
begin
  select max(lanes) into stored from ${schema}.lane where service = of_service;
  if stored is null then
    perform pg_advisory_xact_lock(hashtextextended('${schema}.' || of_service, 0));
    select max(lanes) into stored from ${schema}.lane where service = of_service;
  end if;
  if stored is null then
    insert into ${schema}.lane
      select of_service, u.number - 1, cardinality(sources), u.source, null, 0, 0, 1, 0, 0, 0, null, null
        from unnest(sources) with ordinality as u(source, number);
    stored := cardinality(sources);
  end if;
  return stored;
end $$;
`;
}

/** A lane's partitions, as far as a table has rows of them. */
function partitionsOf(schema: string, table: "timer" | "effect"): string {
  return `generate_series(of_lane, (select t.partition from ${schema}.${table} as t
    where t.service = of_service order by t.partition desc limit 1), of_lanes)`;
}

/**
 * Timers, and effects that are heads, which are due: the earliest of each partition, and of those the earliest. They are
 * functions for their settings, as for so many partitions the server would spend more on compiling a plan than on it.
 */
function due(schema: string): string {
  const lane = "of_service text, of_lane int, of_lanes int, until float8, most int";
  return `
create function ${schema}.due_timers_1(${lane}) returns setof ${schema}.timer language plpgsql stable ${settings} as $$
begin
  return query select t.* from ${partitionsOf(schema, "timer")} as p cross join lateral (
      select * from ${schema}.timer as l where l.service = of_service and l.partition = p and l.due_ms <= until
       order by l.due_ms limit most) as t
    order by t.due_ms limit most;
end $$;
create function ${schema}.due_effects_1(${lane}, without text[]) returns setof ${schema}.effect
language plpgsql stable ${settings} as $$
begin
  return query select t.* from ${partitionsOf(schema, "effect")} as p cross join lateral (
      select * from ${schema}.effect as l
       where l.service = of_service and l.partition = p and l.head and l.due_ms <= until and l.id <> all (without)
       order by l.due_ms limit most) as t
    order by t.due_ms, t.seq limit most;
end $$;
`;
}

/** The functions of a schema, as the first migration makes them. */
export function functions(schema: string): string {
  return [refuseConflict, commitSeldom, commitBatch, declareService, due].map((make) => make(schema)).join("");
}
