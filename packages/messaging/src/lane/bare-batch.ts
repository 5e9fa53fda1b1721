import type { Batch, LaneId } from "../store.ts";

/** A batch in which nothing changes but what is given. */
export function bareBatch(
  id: LaneId,
  given: Pick<Batch, "epoch" | "batch" | "timeMs" | "level"> & Partial<Batch>,
): Batch {
  return {
    count: 0,
    inputs: 0,
    positions: [],
    states: [],
    messages: [],
    sent: [],
    timers: { set: [], cleared: [] },
    effects: { added: [], done: [], retried: [] },
    parked: { added: [], removed: [], keys: [], released: [] },
    seen: [],
    ...given,
    ...id,
  };
}
