// The thread in which a running shop is audited: a little work at a time, and a word to the server when something changes.
import { setTimeout as pause } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import type { Breach } from "../laws.ts";
import { LiveAudit } from "./live-audit.ts";
import { LiveBooks, LiveLedger } from "./live-books.ts";
import type { AuditStatus } from "./open-breaches.ts";

export interface ThreadSettings {
  readonly folder: string;
  /** How much of every `everyMs` may be spent, in milliseconds. */
  readonly budgetMs: number;
  readonly everyMs: number;
}

export type FromThread =
  | { readonly kind: "breach"; readonly breach: Breach; readonly isOpen: boolean }
  | { readonly kind: "status"; readonly status: readonly AuditStatus[]; readonly breaches: readonly Breach[] };

const { folder, budgetMs, everyMs } = workerData as ThreadSettings;
const port = parentPort!;
const statusEveryMs = 1_000;
const toldMax = 20;
/** When nothing happens it looks up less often. */
const idleMs = 1_000;

const say = (message: FromThread): void => port.postMessage(message);
const books = new LiveBooks(folder);
let opened: LiveLedger | undefined;
const audit = new LiveAudit({
  books,
  ledger: () => (opened ??= LiveLedger.in(folder)),
  nowMs: () => Date.now(),
  tell: (breach, isOpen) => say({ kind: "breach", breach, isOpen }),
});

let isClosing = false;
port.once("message", () => (isClosing = true));
let toldAtMs = 0;
while (!isClosing) {
  const hasMore = audit.step(budgetMs);
  if (performance.now() - toldAtMs >= statusEveryMs) {
    toldAtMs = performance.now();
    say({ kind: "status", status: audit.status(), breaches: audit.breaches().slice(0, toldMax) });
  }
  await pause(hasMore ? everyMs : idleMs);
}
opened?.[Symbol.dispose]();
books[Symbol.dispose]();
