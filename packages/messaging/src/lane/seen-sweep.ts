import { codeOf, messageOf } from "../errors.ts";
import type { LaneId, Store } from "../store.ts";
import type { World } from "../world.ts";
import type { Routes } from "./routes.ts";

const everyMs = 60_000;
const rowsAtOnce = 1_000;
const callsMax = 20;

/** Forgets, once a minute and a bounded number at a time, what the service's doors saw longer ago than they must know. */
export async function sweepSeen(
  id: LaneId,
  routes: Routes,
  store: Store,
  world: World,
  signal: AbortSignal,
): Promise<void> {
  const windowMs = Math.max(...Array.from(routes.topics.values(), ({ topic }) => topic.dedupeMs ?? -Infinity));
  if (windowMs === -Infinity || id.lane !== 0) return;
  for (;;) {
    await world.sleep(everyMs, signal);
    if (signal.aborted) return;
    try {
      const beforeMs = store.nowMs() - windowMs;
      for (let calls = 0; calls < callsMax && !signal.aborted; calls++) {
        if ((await store.forgetSeen(id.service, beforeMs, rowsAtOnce)) < rowsAtOnce) break;
      }
    } catch (error) {
      world.log("warn", "What doors have seen could not be forgotten; it is tried again.", {
        ...id,
        code: codeOf(error),
        error: messageOf(error),
      });
    }
  }
}
