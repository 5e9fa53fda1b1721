import type { ParkedInput, ParkedKey, SeenRow } from "@waybill/messaging";
import type { Connection } from "./connection.ts";
import type { Overlay } from "./fold.ts";
import { parkedKeyName, parkedName, seenName, type ParkedInputKey, type ParkedKeyKey, type SeenKey } from "./wave.ts";

const keysSql = `select partition, key, since_ms as sinceMs, attempts, due_ms as dueMs, build, fingerprint, error
  from parked_key where service = ?`;
const inputsSql = `select partition, key, seq, kind, origin, id, type, headers, body from parked
  where service = ? and partition = ? and key = ? and seq > ? order by seq`;
const seenSql = `select s.source, s.id from json_each(?) as wanted cross join seen as s
  on s.service = ? and s.source = wanted.value ->> 0 and s.id = wanted.value ->> 1`;

const idsSql = "select source, id from seen where service = ? and source = ?";

/** What is parked, and what doors have taken. */
export function parkedReads(
  connection: Connection,
  inputs: Overlay<ParkedInputKey, ParkedInput>,
  keys: Overlay<ParkedKeyKey, ParkedKey>,
  taken: Overlay<SeenKey, SeenRow>,
) {
  return {
    keys(service: string): ParkedKey[] {
      const older = connection
        .all<Omit<ParkedKey, "dueMs"> & { dueMs: number | null }>(keysSql, service)
        .filter((row) => keys.get(service, parkedKeyName(row)) === undefined)
        .map((row) => ({ ...row, dueMs: row.dueMs ?? undefined }));
      return [...older, ...keys.rows(service)];
    },

    inputs(service: string, partition: number, key: string, afterSeq: number, limit: number): ParkedInput[] {
      const rows = inputs
        .rows(service)
        .filter((row) => row.partition === partition && row.key === key && row.seq > afterSeq);
      let kept = 0;
      for (const row of connection.each<ParkedInput>(inputsSql, service, partition, key, afterSeq)) {
        if (inputs.get(service, parkedName(row)) !== undefined) continue;
        rows.push({ ...row });
        kept += 1;
        if (kept === limit) break;
      }
      return rows.toSorted((a, b) => a.seq - b.seq).slice(0, limit);
    },

    /** The ids that a service has taken from one source. */
    idsOf(service: string, source: string): string[] {
      const older = connection
        .all<SeenKey>(idsSql, service, source)
        .filter((row) => taken.get(service, seenName(row)) === undefined);
      return [...older, ...taken.rows(service).filter((row) => row.source === source)].map(({ id }) => id);
    },

    seen(service: string, wanted: readonly SeenKey[]): SeenKey[] {
      const found: SeenKey[] = [];
      const unknown: [source: string, id: string][] = [];
      for (const { source, id } of wanted) {
        if (taken.get(service, seenName({ source, id })) === undefined) unknown.push([source, id]);
        else found.push({ source, id });
      }
      if (unknown.length === 0) return found;
      const older = connection.all<SeenKey>(seenSql, JSON.stringify(unknown), service);
      return [...found, ...older.map(({ source, id }) => ({ source, id }))];
    },
  };
}
