import type { Batch, LaneId, PositionRow, SentRow } from "../store.ts";

/** A batch in which nothing changes but how far a copy is. */
export function copyBatch(
  id: LaneId,
  fence: { readonly epoch: number; readonly batch: number; readonly timeMs: number; readonly count: number },
  positions: readonly PositionRow[],
  sent: readonly SentRow[],
): Batch {
  return {
    ...id,
    ...fence,
    level: 1,
    inputs: 0,
    positions,
    states: [],
    messages: [],
    sent,
    timers: { set: [], cleared: [] },
    effects: { added: [], done: [], retried: [] },
    parked: { added: [], removed: [], keys: [], released: [] },
    seen: [],
  };
}
