import type { EffectKey, EffectRow, LaneId } from "@waybill/messaging";
import type { Connection } from "./connection.ts";
import { Overlay } from "./fold.ts";
import { isOf } from "./read-timers.ts";
import { chainName, effectName, type Wave } from "./wave.ts";

const columns = `partition, key, queue, seq, id, name, schema, input, attempts, first_ms as firstMs, due_ms as dueMs,
  error, correlation, causation, traceparent`;
const dueSql = `select ${columns} from effect
  where service = ? and due_ms > ? and due_ms <= ? and partition % ? = ? order by due_ms`;
const queueSql = `select ${columns} from effect
  where service = ? and partition = ? and key = ? and queue = ? and seq > ? order by seq`;

type EffectColumns = Omit<EffectRow, "firstMs" | "error" | "traceparent"> & {
  readonly firstMs: number | null;
  readonly error: string | null;
  readonly traceparent: string | null;
};

/** Effects of a lane. Only the first of a chain, an entity's effects in one queue, may be called: its head. */
export function effectReads(connection: Connection, waves: () => readonly Wave[]) {
  const overlay = new Overlay(() => waves().map((wave) => wave.effects));

  /** The first effect of a chain behind a number that was added and is not durable yet. */
  function firstAdded(service: string, chain: Omit<EffectKey, "seq">, afterSeq: number): EffectRow | undefined {
    const name = chainName(service, chain);
    let found: EffectRow | undefined;
    for (const wave of waves()) {
      for (const key of wave.chains.get(name) ?? []) {
        if (key.seq <= afterSeq || (found !== undefined && found.seq < key.seq)) continue;
        found = overlay.get(service, effectName(key))?.row ?? found;
      }
    }
    return found;
  }

  /** The first effect of a chain behind a number. */
  function first(service: string, chain: Omit<EffectKey, "seq">, afterSeq: number): EffectRow | undefined {
    const added = firstAdded(service, chain, afterSeq);
    const { partition, key, queue } = chain;
    for (const row of connection.each<EffectColumns>(queueSql, service, partition, key, queue, afterSeq)) {
      if (added !== undefined && added.seq <= row.seq) break;
      const change = overlay.get(service, effectName(row));
      if (change === undefined) return rowOf(row);
      if (change.row !== undefined) return change.row;
    }
    return added;
  }

  /** Heads whose time lies in (afterMs, untilMs], the earliest first. */
  function heads(
    id: LaneId,
    afterMs: number,
    untilMs: number,
    limit: number,
    except: ReadonlySet<string>,
  ): EffectRow[] {
    const { service, lane, lanes } = id;
    const isHead = (row: EffectRow): boolean => !except.has(row.id) && first(service, row, -1)?.seq === row.seq;
    const inTime = (row: EffectRow): boolean => isOf(id, row.partition) && row.dueMs > afterMs && row.dueMs <= untilMs;
    const rows = overlay.rows(service).filter(inTime).toSorted(byDue).filter(atMost(limit, isHead));
    let kept = 0;
    for (const columnsOf of connection.each<EffectColumns>(dueSql, service, afterMs, untilMs, lanes, lane)) {
      if (overlay.get(service, effectName(columnsOf)) !== undefined) continue;
      const row = rowOf(columnsOf);
      if (!isHead(row)) continue;
      rows.push(row);
      kept += 1;
      if (kept === limit) break;
    }
    return rows.toSorted(byDue).slice(0, limit);
  }

  return {
    heads: (id: LaneId, dueMs: number, limit: number, except: ReadonlySet<string>): EffectRow[] =>
      heads(id, Number.MIN_SAFE_INTEGER, dueMs, limit, except),
    behind: (service: string, after: EffectKey): EffectRow | undefined => first(service, after, after.seq),
    nextDueMs: (id: LaneId, nowMs: number): number | undefined =>
      heads(id, nowMs, Number.MAX_SAFE_INTEGER, 1, new Set())[0]?.dueMs,
  };
}

/** A filter that asks no more once it has found so many. */
function atMost<T>(limit: number, accept: (value: T) => boolean): (value: T) => boolean {
  let found = 0;
  return (value) => {
    if (found >= limit || !accept(value)) return false;
    found += 1;
    return true;
  };
}

function byDue(a: EffectRow, b: EffectRow): number {
  return a.dueMs - b.dueMs || a.seq - b.seq;
}

function rowOf(row: EffectColumns): EffectRow {
  return {
    ...row,
    firstMs: row.firstMs ?? undefined,
    error: row.error ?? undefined,
    traceparent: row.traceparent ?? undefined,
  };
}
