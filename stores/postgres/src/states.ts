import type { StateRow } from "@waybill/messaging";
import type { Database } from "./database.ts";

/** States as they are stored, for everybody who owns none: HTTP, exports, people. */
export interface States {
  /** One state; undefined when there is none. Throws STORE_UNAVAILABLE. */
  one(service: string, kind: string, id: string): Promise<StateRow | undefined>;
  /** At most `limit` states of a kind whose ids come after `after`, in the order of the ids' bytes. */
  page(service: string, kind: string, after: string, limit: number): Promise<readonly StateRow[]>;
}

export function statesOf(database: Database, schema: string): States {
  const select = `select kind, id, home, version, schema, body from ${schema}.state where service = $1 and kind = $2`;
  return {
    async one(service, kind, id) {
      const text = `${select} and id = $3`;
      return (await database.rows<StateRow>({ name: "stateOne", text }, [service, kind, id]))[0];
    },
    page: (service, kind, after, limit) => {
      const text = `${select} and id > $3 order by id limit $4`;
      return database.rows<StateRow>({ name: "statePage", text }, [service, kind, after, limit]);
    },
  };
}
