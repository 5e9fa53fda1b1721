import { WaybillError } from "@waybill/messaging";
import type { Database } from "./database.ts";

/** What a database holds of a service; each number is counted up to 10,000. */
export interface Kept {
  readonly states: number;
  readonly timers: number;
  /** Calls to the outside that are not answered. */
  readonly effects: number;
  /** Inputs that are set aside. */
  readonly parked: number;
  /** Batches of messages that no log has confirmed yet. */
  readonly outbox: number;
}

/** Services that something is kept of, whether they still are part of a deployment or not. */
export interface Keeping {
  services(): Promise<readonly string[]>;
  of(service: string): Promise<Kept>;
  /**
   * Deletes all that is kept of a service, as if it had never been; what it said stays in the logs. Some rows at a time: when it
   * is cut off, the service's lanes are stopped, and forgetting it again goes on. Throws NOT_OWNER while a process runs one of
   * its lanes.
   */
  forget(service: string): Promise<void>;
}

const countMax = 10_000;
const rowsPerStep = 1_000;
/** What is deleted some rows at a time, and what at the end: the lanes last, for they say that it is not done yet. */
const inSteps = ["state", "timer", "effect", "parked", "parked_key", "outbox", "seen"] as const;
const atLast = ["sent", "position", "lane"] as const;
const stopped = "FORGOTTEN: waybill forget was cut off while it deleted what this service has kept.";

/** What a schema keeps of services. */
export function keepingOf(database: Database, schema: string): Keeping {
  const countOf = (table: string) =>
    `(select count(*)::int from (select from ${schema}.${table} where service = $1 limit ${countMax}) as r) as "${table}"`;
  const counts = `select ${["state", "timer", "effect", "parked", "outbox"].map(countOf).join(", ")}`;
  const stop = `with lanes as (select service, lane from ${schema}.lane where service = $1 for update),
    running as (select from ${schema}.lane as l, ${schema}.member as m
      where l.service = $1 and m.id = l.owner and m.until > clock_timestamp()),
    stopped as (update ${schema}.lane as l set stopped = $2, owner = null, epoch = epoch + 1
      from lanes where l.service = lanes.service and l.lane = lanes.lane and not exists (select from running) returning 1)
    select exists (select from running) as runs, (select count(*)::int from stopped) as lanes`;

  return {
    async services() {
      const text = `select distinct service from ${schema}.lane order by service`;
      return (await database.rows<{ service: string }>({ name: "keptServices", text }, [])).map(
        ({ service }) => service,
      );
    },
    async of(service) {
      type Row = Readonly<Record<"state" | "timer" | "effect" | "parked" | "outbox", number>>;
      const [row] = await database.rows<Row>({ name: "kept", text: counts }, [service]);
      const { state, timer, effect, parked, outbox } = row!;
      return { states: state, timers: timer, effects: effect, parked, outbox };
    },
    async forget(service) {
      const [row] = await database.rows<{ runs: boolean }>({ name: "forgetStop", text: stop }, [service, stopped]);
      if (row!.runs) throw stillRuns(service);
      for (const table of inSteps) while ((await deleteSome(table, service)) > 0);
      const gone = atLast.map((table) => `${table}s as (delete from ${schema}.${table} where service = $1)`);
      await database.rows({ name: "forgetLanes", text: `with ${gone.join(", ")} select` }, [service]);
    },
  };

  async function deleteSome(table: string, service: string): Promise<number> {
    const some = `select ctid from ${schema}.${table} where service = $1 limit ${rowsPerStep}`;
    const text = `with gone as (delete from ${schema}.${table} where ctid = any (array(${some})) returning 1)
      select count(*)::int as rows from gone`;
    const [row] = await database.rows<{ rows: number }>({ name: `forget_${table}`, text }, [service]);
    return row!.rows;
  }
}

function stillRuns(service: string): WaybillError {
  const text = `A lane of ${service} runs; what a service keeps can be forgotten only when it is no longer part of the shop.`;
  return new WaybillError("NOT_OWNER", text, { details: { service } });
}
