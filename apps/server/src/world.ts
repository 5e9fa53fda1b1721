import { randomUUID } from "node:crypto";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { World } from "@waybill/messaging";

const dayMs = 86_400_000;

export type Log = World["log"];

/** The real world: the only place where the shop reaches for a clock, a timer or chance. */
export function realWorld(log: Log): World {
  return {
    monotonicMs: () => performance.now(),
    newId: () => randomUUID(),
    random: () => Math.random(),
    sleep: async (ms, signal) => {
      if (ms <= 0 || signal?.aborted === true) return;
      await sleep(Math.min(ms, dayMs), undefined, signal === undefined ? {} : { signal }).catch(() => {});
    },
    turn: () => setImmediate(),
    log,
  };
}

/** The wall clock in milliseconds. */
export function wallClock(): number {
  return Date.now();
}
