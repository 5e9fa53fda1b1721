import { WaybillError } from "../errors.ts";
import { saidBy, type LaneId, type LaneRow, type Store } from "../store.ts";
import type { World } from "../world.ts";
import { bareBatch } from "./bare-batch.ts";

const rowsAtOnce = 1_000;

/** For how long it is remembered what was said: until somebody has had time to mend what keeps a lane from its inputs. */
const rememberedMs = 30 * 86_400_000;

/**
 * A lane whose database is older than the log goes on under a new name, so that its numbers are not taken for repeats. What the log
 * holds already is written down before: under the new name nobody would find it again, and it would be said a second time.
 * Returns the row as it is then.
 */
export async function rename(
  store: Store,
  world: World,
  id: LaneId,
  row: LaneRow,
  said: readonly string[],
): Promise<LaneRow> {
  const atMs = store.nowMs() + rememberedMs;
  let { batch } = row;
  for (let at = 0; at < said.length; at += rowsAtOnce) {
    const seen = said.slice(at, at + rowsAtOnce).map((one) => ({ source: saidBy(id), id: one, atMs }));
    const { epoch, timeMs, level } = row;
    const commit = store.commit(bareBatch(id, { epoch, batch, timeMs, level, seen }));
    commit.applied.catch(() => undefined);
    await commit.durable;
    batch += 1;
  }
  const source = world.newId();
  if (!(await store.mark(id, row.epoch, { source }))) {
    throw new WaybillError("NOT_OWNER", `Lane ${id.lane} of ${id.service} was taken over.`);
  }
  world.log("error", "The database is older than the log; the lane goes on with a new source.", {
    ...id,
    code: "STORE_REWOUND",
    from: row.source,
    to: source,
  });
  return { ...row, batch, source };
}
