import { laws, type Breach } from "../laws.ts";
import { LiveAudit } from "./live-audit.ts";
import { LiveBooks, LiveLedger } from "./live-books.ts";
import type { AuditStatus } from "./open-breaches.ts";

export interface OpenLiveAudit {
  /** The data folder of the shop that is audited; it must be served by now. */
  readonly folder: string;
  readonly log: (level: "info" | "warn" | "error", text: string, facts: Readonly<Record<string, unknown>>) => void;
  /** How much of every `everyMs` it may work, in milliseconds. Default 2 of 100. */
  readonly budgetMs?: number;
  readonly everyMs?: number;
}

/** An audit that goes on while the shop works. It reads through a connection of its own, and writes nothing. */
export interface RunningAudit extends AsyncDisposable {
  /** How each law stands. */
  auditStatus(): readonly AuditStatus[];
  /** What is wrong now, a sentence for each, at most twenty. Empty while all laws hold. */
  auditTroubles(): readonly string[];
}

const troublesMax = 20;
/** When nothing happens it looks up less often. */
const idleMs = 1_000;
/** After a read that failed, as while the file is being made anew. */
const afterFailureMs = 10_000;

/** Begins to audit a shop. What lies in the log already is the business of `waybill audit`; from here on every message counts. */
export function openLiveAudit({ folder, log, budgetMs = 2, everyMs = 100 }: OpenLiveAudit): RunningAudit {
  const books = new LiveBooks(folder);
  let ledger: LiveLedger | undefined;
  const audit = new LiveAudit({
    books,
    ledger: () => (ledger ??= LiveLedger.in(folder)),
    nowMs: () => Date.now(),
    tell: (breach, isOpen) => tell(breach, isOpen),
  });
  let timer = setTimeout(work, everyMs).unref();

  function work(): void {
    let nextMs = idleMs;
    try {
      if (audit.step(budgetMs)) nextMs = everyMs;
    } catch (error) {
      log("warn", "The audit beside the work could not read; it tries again.", { error: String(error) });
      nextMs = afterFailureMs;
    }
    timer = setTimeout(work, nextMs).unref();
  }

  function tell({ law, what, where, sinceMs, remedy }: Breach, isOpen: boolean): void {
    const since = sinceMs === undefined ? undefined : new Date(sinceMs).toISOString();
    const facts = { law, name: laws[law], what, where, since, remedy };
    if (isOpen) log("error", "The books do not balance.", facts);
    else log("info", "What did not balance is right again.", facts);
  }

  return {
    auditStatus: () => audit.status(),
    auditTroubles: () =>
      audit
        .breaches()
        .slice(0, troublesMax)
        .map(({ law, where, what }) => `Law ${law} is broken at ${where}: ${what}`),
    [Symbol.asyncDispose]: async () => {
      clearTimeout(timer);
      books[Symbol.dispose]();
      ledger?.[Symbol.dispose]();
    },
  };
}
