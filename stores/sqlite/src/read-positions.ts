import type { LaneId, PositionRow, TopicPartition } from "@waybill/messaging";
import type { Connection } from "./connection.ts";
import type { Overlay } from "./fold.ts";
import { isOf } from "./read-timers.ts";
import { positionName } from "./wave.ts";

const positionsSql = `select topic, partition, log_id, next_offset, last_offset, last_id, marks from position
  where service = ?`;

interface PositionColumns {
  readonly topic: string;
  readonly partition: number;
  readonly log_id: string;
  readonly next_offset: number;
  readonly last_offset: number | null;
  readonly last_id: string | null;
  readonly marks: string;
}

/** How far a lane has read. */
export function positionReads(connection: Connection, overlay: Overlay<TopicPartition, PositionRow>) {
  return function positions(id: LaneId): PositionRow[] {
    const older = connection
      .all<PositionColumns>(positionsSql, id.service)
      .filter((row) => isOf(id, row.partition) && overlay.get(id.service, positionName(row)) === undefined)
      .map(rowOf);
    return [...older, ...overlay.rows(id.service).filter((row) => isOf(id, row.partition))];
  };
}

function rowOf(row: PositionColumns): PositionRow {
  return {
    topic: row.topic,
    partition: row.partition,
    logId: row.log_id,
    nextOffset: row.next_offset,
    lastOffset: row.last_offset ?? undefined,
    lastId: row.last_id ?? undefined,
    marks: JSON.parse(row.marks) as Record<string, number>,
  };
}
