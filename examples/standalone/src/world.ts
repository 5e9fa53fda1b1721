import type { World } from "@waybill/messaging";
import { randomUUID } from "node:crypto";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";

const dayMs = 86_400_000;

/** The real world: all that the engine knows of time, chance and logs. */
export const world: World = {
  monotonicMs: () => performance.now(),
  newId: () => randomUUID(),
  random: () => Math.random(),
  async sleep(ms, signal) {
    if (ms <= 0 || signal?.aborted === true) return;
    await sleep(Math.min(ms, dayMs), undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  },
  turn: () => setImmediate(),
  log(level, text, facts = {}) {
    if (level === "warn" || level === "error") process.stderr.write(`${level}: ${text} ${JSON.stringify(facts)}\n`);
  },
};
