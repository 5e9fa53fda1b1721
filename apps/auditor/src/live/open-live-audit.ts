import { Worker } from "node:worker_threads";
import { allLaws, laws, type Breach } from "../laws.ts";
import type { FromThread, ThreadSettings } from "./audit-thread.ts";
import type { AuditStatus } from "./open-breaches.ts";

export interface OpenLiveAudit {
  /** The data folder of the shop that is audited; it must be served by now. */
  readonly folder: string;
  readonly log: (level: "info" | "warn" | "error", text: string, facts: Readonly<Record<string, unknown>>) => void;
  /** How much of every `everyMs` it may work, in milliseconds. Default 4 of 200. */
  readonly budgetMs?: number;
  readonly everyMs?: number;
}

/** An audit that goes on while the shop works, in a thread of its own that reads only. */
export interface RunningAudit extends AsyncDisposable {
  /** How each law stands. */
  auditStatus(): readonly AuditStatus[];
  /** What is wrong now, a sentence for each, at most twenty. Empty while all laws hold. */
  auditTroubles(): readonly string[];
}

const heapMiB = 48;

/** Begins to audit a shop. What lies in the log already is the business of `waybill audit`; from here on every message counts. */
export function openLiveAudit({ folder, log, budgetMs = 4, everyMs = 200 }: OpenLiveAudit): RunningAudit {
  const settings: ThreadSettings = { folder, budgetMs, everyMs };
  const worker = new Worker(new URL("audit-thread.ts", import.meta.url), {
    workerData: settings,
    resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: 4 },
  });
  let status: readonly AuditStatus[] = allLaws.map((law) => ({
    law,
    name: laws[law],
    checked: 0,
    breaches: 0,
    lastAtMs: 0,
  }));
  let open: readonly Breach[] = [];
  const ended = new Promise<void>((resolve) => {
    worker.once("exit", () => resolve());
  });
  worker.unref();
  worker.on("error", (error) => log("warn", "The audit beside the shop has ended.", { error: String(error) }));
  worker.on("message", (message: FromThread) => {
    if (message.kind === "status") ({ status, breaches: open } = message);
    else tell(message.breach, message.isOpen);
  });

  function tell({ law, what, where, sinceMs, remedy }: Breach, isOpen: boolean): void {
    const since = sinceMs === undefined ? undefined : new Date(sinceMs).toISOString();
    const facts = { law, name: laws[law], what, where, since, remedy };
    if (isOpen) log("error", "The books do not balance.", facts);
    else log("info", "What did not balance is right again.", facts);
  }

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    worker.ref();
    worker.postMessage("close", []);
    await ended;
  };
  return {
    auditStatus: () => status,
    auditTroubles: () => open.map(({ law, where, what }) => `Law ${law} is broken at ${where}: ${what}`),
    [Symbol.asyncDispose]: () => (closed ??= close()),
  };
}
