import type { StateKey, StateRow } from "@waybill/messaging";
import type { Connection } from "./connection.ts";
import type { Versions } from "./versions.ts";

const loadSql = `select s.id, s.home, s.version, s.schema, s.body
  from json_each(?) as wanted cross join state as s on s.service = ? and s.kind = ? and s.id = wanted.value`;

/** Loads states: from the waves that are not durable yet, the rest by one statement for each kind. */
export function stateReads(connection: Connection, versions: Versions) {
  return function load(service: string, keys: readonly StateKey[]): StateRow[] {
    const rows: StateRow[] = [];
    const wanted = new Map<string, string[]>();
    for (const key of keys) {
      const write = versions.pending(service, key)?.write;
      if (write === undefined) {
        push(wanted, key.kind, key.id);
        versions.learn(service, key, 0);
      } else if (write.body !== undefined) rows.push({ ...write, body: write.body });
    }
    for (const [kind, ids] of wanted) {
      const found = connection.all<Omit<StateRow, "kind">>(loadSql, JSON.stringify(ids), service, kind);
      for (const { id, home, version, schema, body } of found) {
        const row = { kind, id, home, version, schema, body };
        versions.learn(service, row, version);
        rows.push(row);
      }
    }
    return rows;
  };
}

function push(map: Map<string, string[]>, name: string, value: string): void {
  const list = map.get(name);
  if (list === undefined) map.set(name, [value]);
  else list.push(value);
}
