import type { LaneId, TimerKey, TimerRow } from "@waybill/messaging";
import type { Connection } from "./connection.ts";
import type { Overlay } from "./fold.ts";
import { timerName } from "./wave.ts";

const dueSql = `select partition, key, name, due_ms as dueMs, schema, body, correlation, causation from timer
  where service = ? and due_ms <= ? and partition % ? = ? order by due_ms`;

/** Whether a partition is one of the lane's. */
export function isOf(id: LaneId, partition: number): boolean {
  return partition % id.lanes === id.lane;
}

/** Timers of a lane: those of the file that no wave has changed, and those of the waves. */
export function timerReads(connection: Connection, overlay: Overlay<TimerKey, TimerRow>) {
  function due(id: LaneId, dueMs: number, limit: number): TimerRow[] {
    const { service, lane, lanes } = id;
    const rows = overlay.rows(service).filter((row) => isOf(id, row.partition) && row.dueMs <= dueMs);
    let kept = 0;
    for (const row of connection.each<TimerRow>(dueSql, service, dueMs, lanes, lane)) {
      if (overlay.get(service, timerName(row)) !== undefined) continue;
      rows.push({ ...row });
      kept += 1;
      if (kept === limit) break;
    }
    return rows.toSorted((a, b) => a.dueMs - b.dueMs).slice(0, limit);
  }

  return {
    due,
    nextMs: (id: LaneId): number | undefined => due(id, Number.MAX_SAFE_INTEGER, 1)[0]?.dueMs,
  };
}
