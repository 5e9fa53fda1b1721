import type { StateKey, StateRow } from "@waybill/messaging";
import type { Connection } from "./connection.ts";
import { stateName, type StateChange, type Wave } from "./wave.ts";

const loadSql = `select s.id, s.home, s.version, s.schema, s.body
  from json_each(?) as wanted cross join state as s on s.service = ? and s.kind = ? and s.id = wanted.value`;

/** Loads states: from the waves that are not durable yet, the rest by one statement for each kind. */
export function stateReads(connection: Connection, waves: () => readonly Wave[]) {
  function changed(service: string, name: string): StateChange | undefined {
    for (const wave of waves()) {
      const change = wave.states.get(service)?.get(name);
      if (change !== undefined) return change;
    }
    return undefined;
  }

  return {
    versionOf(service: string, name: string): number | undefined {
      const write = changed(service, name)?.write;
      return write?.body === undefined && write !== undefined ? 0 : write?.version;
    },

    load(service: string, keys: readonly StateKey[]): StateRow[] {
      const rows: StateRow[] = [];
      const wanted = new Map<string, string[]>();
      for (const key of keys) {
        const write = changed(service, stateName(key))?.write;
        if (write === undefined) push(wanted, key.kind, key.id);
        else if (write.body !== undefined) rows.push({ ...write, body: write.body });
      }
      for (const [kind, ids] of wanted) {
        const found = connection.all<Omit<StateRow, "kind">>(loadSql, JSON.stringify(ids), service, kind);
        for (const { id, home, version, schema, body } of found) rows.push({ kind, id, home, version, schema, body });
      }
      return rows;
    },
  };
}

function push(map: Map<string, string[]>, name: string, value: string): void {
  const list = map.get(name);
  if (list === undefined) map.set(name, [value]);
  else list.push(value);
}
