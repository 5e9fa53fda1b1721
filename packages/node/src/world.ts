import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { World } from "@waybill/messaging";

const dayMs = 86_400_000;

/** Takes what the engine has to say, a line at a time, with facts beside it. */
export type Log = World["log"];

/** Warnings and errors as lines on the standard error output; the rest is dropped. */
export const stderrLog: Log = (level, text, facts = {}) => {
  if (level === "warn" || level === "error") process.stderr.write(`${level}: ${text} ${JSON.stringify(facts)}\n`);
};

/** The real world: the only place where clock, timers and chance of the machine are reached for. */
export function realWorld(log: Log = stderrLog): World {
  return {
    monotonicMs: () => performance.now(),
    newId: () => randomUUID(),
    random: () => Math.random(),
    sleep: async (ms, signal) => {
      if (ms <= 0 || signal?.aborted === true) return;
      await sleep(Math.min(ms, dayMs), undefined, signal === undefined ? {} : { signal }).catch(() => {});
    },
    turn: turns(),
    log,
  };
}

/** One at a time, in the order in which they ask, whenever the event loop has come round. */
function turns(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  const next = (): void => {
    waiting.shift()!();
    if (waiting.length > 0) setImmediate(next);
  };
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 1) setImmediate(next);
    });
}

/** The wall clock in milliseconds. */
export function wallClock(): number {
  return Date.now();
}
