import { WaybillError, type LaneRow, type Member, type Store } from "@waybill/messaging";
import { texts } from "./arrays.ts";
import type { Database } from "./database.ts";
import { readable } from "./seldom.ts";

const laneColumns = `service, lane, source, owner, epoch, batch, next_n as "nextN", time_ms as "timeMs", level, tries,
  suspect, stopped`;
const clockMs = `(extract(epoch from clock_timestamp())::float8 * 1000)`;
const clockColumn = `${clockMs} as "nowMs"`;

type LaneCalls = Pick<
  Store,
  "declare" | "join" | "renew" | "leave" | "survey" | "claim" | "release" | "lane" | "mark" | "resume"
>;

/** A row as it comes: what is absent is null. */
type Nullable<Row> = { [Key in keyof Row]: undefined extends Row[Key] ? Row[Key] | null : Row[Key] };

/** Members and lanes. The services of what is freed are said on the channel. */
export function laneCalls(database: Database, schema: string, channel: string): LaneCalls {
  const statements = statementsOf(schema, channel);

  /** Rows of a statement that also tells the database's time. */
  async function timed<Row extends { nowMs: number }>(
    name: keyof typeof statements,
    values: unknown[],
  ): Promise<Row[]> {
    const { clock } = database;
    const askedMs = clock.monotonicMs();
    const rows = await database.atOnce<Row>({ name, text: statements[name] }, values);
    if (rows[0] !== undefined) clock.told(rows[0].nowMs, askedMs, clock.monotonicMs());
    return rows;
  }
  const run = <Row>(name: keyof typeof statements, values: unknown[]): Promise<Row[]> =>
    database.rows<Row>({ name, text: statements[name] }, values);

  return {
    async declare(service, lanes, newSource) {
      const sources = texts(Array.from({ length: lanes }, newSource));
      const [row] = await run<{ lanes: number }>("declare", [service, sources]);
      if (row!.lanes !== lanes) throw otherLanes(service, row!.lanes, `${lanes} were declared`);
    },
    async join({ id, host, services, level }, ttlMs) {
      await timed("join", [id, host, texts(services) ?? "{}", level, ttlMs]);
    },
    async renew(memberId, ttlMs) {
      return (await timed("renew", [memberId, ttlMs])).length > 0;
    },
    async leave(memberId) {
      await database.atOnce({ name: "leave", text: statements.leave }, [memberId]);
    },
    async survey(services) {
      type Row = { nowMs: number; lanes: Nullable<LaneRow>[]; members: Member[] };
      const [row] = await timed<Row>("survey", [texts(services) ?? "{}"]);
      return { lanes: row!.lanes.map(laneOf), members: row!.members };
    },
    async claim({ service, lane }, memberId, level, seenEpoch) {
      const [row] = await run<Nullable<LaneRow>>("claim", [service, lane, memberId, level, seenEpoch]);
      return row === undefined ? undefined : laneOf(row);
    },
    async release({ service, lane }, epoch) {
      await run("release", [service, lane, epoch]);
    },
    async lane(id) {
      const [row] = await run<Nullable<LaneRow> & { lanes: number | null }>("lane", [id.service, id.lane]);
      if (row === undefined) throw otherLanes(id.service, 0, `lane ${id.lane} was asked for`);
      const { lanes, ...lane } = row;
      if (lanes !== id.lanes) throw otherLanes(id.service, lanes!, `lane ${id.lane} of ${id.lanes} was asked for`);
      return laneOf(lane);
    },
    async mark({ service, lane }, epoch, { source, suspect, stopped }) {
      const changes = [source ?? null, suspect !== undefined, readable(suspect ?? undefined)];
      const rest = [stopped !== undefined, readable(stopped ?? undefined)];
      return (await run("mark", [service, lane, epoch, ...changes, ...rest])).length > 0;
    },
    async resume({ service, lane }) {
      await run("resume", [service, lane]);
    },
  };
}

function statementsOf(schema: string, channel: string) {
  const live = (member: string): string =>
    `exists (select from ${schema}.member as m where m.id = ${member} and m.until > clock_timestamp())`;
  return {
    declare: `select ${schema}.declare_service_1($1, $2) as lanes`,
    join: `insert into ${schema}.member values ($1, $2, $3, $4, clock_timestamp() + $5::float8 * interval '1 ms')
      on conflict (id) do update set host = excluded.host, services = excluded.services, level = excluded.level,
        until = excluded.until
      returning ${clockColumn}`,
    renew: `update ${schema}.member set until = clock_timestamp() + $2::float8 * interval '1 ms'
      where id = $1 and until > clock_timestamp() returning ${clockColumn}`,
    // Members that are long gone are forgotten along the way.
    leave: `with gone as (delete from ${schema}.member
        where id = $1 or until < clock_timestamp() - interval '1 hour' returning id, services)
      select pg_notify('${channel}', array_to_json(services)::text) from gone where id = $1`,
    survey: `select ${clockColumn},
      coalesce((select json_agg(l order by service, lane)
        from (select ${laneColumns} from ${schema}.lane where service = any($1::text[])) as l), '[]') as lanes,
      coalesce((select json_agg(m order by id)
        from (select id, host, services, level from ${schema}.member where until > clock_timestamp()) as m), '[]')
        as members`,
    claim: `update ${schema}.lane set owner = $3, epoch = greatest(epoch + 1, ${clockMs}::bigint), tries = tries + 1
      where service = $1 and lane = $2 and epoch = $5 and level <= $4 and stopped is null
        and (owner is null or owner = $3 or not ${live("lane.owner")})
      returning ${laneColumns}`,
    release: `with freed as (update ${schema}.lane set owner = null
        where service = $1 and lane = $2 and epoch = $3 returning service)
      select pg_notify('${channel}', json_build_array(service)::text) from freed`,
    lane: `select ${laneColumns}, lanes from ${schema}.lane where service = $1 and lane = $2`,
    mark: `update ${schema}.lane set source = coalesce($4, source),
        suspect = case when $5::boolean then $6 else suspect end,
        stopped = case when $7::boolean then $8 else stopped end
      where service = $1 and lane = $2 and epoch = $3 returning 1`,
    resume: `update ${schema}.lane set stopped = null where service = $1 and lane = $2`,
  } as const;
}

function laneOf(row: Nullable<LaneRow>): LaneRow {
  const { owner, suspect, stopped } = row;
  return { ...row, owner: owner ?? undefined, suspect: suspect ?? undefined, stopped: stopped ?? undefined };
}

function otherLanes(service: string, found: number, asked: string): WaybillError {
  return new WaybillError("CONTRACT_INVALID", `Service "${service}" has ${found} lanes in this store; ${asked}.`, {
    details: { service, found },
  });
}
