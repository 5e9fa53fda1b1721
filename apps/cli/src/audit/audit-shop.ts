import {
  audit,
  auditFolder,
  fixesOf,
  fixesText,
  openHttpLedger,
  openSqliteBooks,
  reportText,
  sendFixes,
  type AuditReport,
  type SentFix,
} from "@waybill/auditor";
import { messageOf } from "@waybill/messaging";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { table } from "../table.ts";
import { senderOf } from "./send.ts";

export interface AuditShop {
  readonly data: string;
  /** Where the gateway's ledger is: an address, a file, or undefined for the sandbox in the data folder. */
  readonly gateway: string | undefined;
  /** Whether fixes are shown, and whether they are sent. */
  readonly fix: boolean;
  readonly send: boolean;
  readonly json: boolean;
}

export const balanced = 0;
export const broken = 1;
export const notChecked = 2;

/** Audits a data folder, prints what was found, and returns what to exit with. */
export async function auditShop(options: AuditShop): Promise<number> {
  const beganMs = performance.now();
  let report: AuditReport;
  try {
    report = await reportOf(options);
  } catch (error) {
    process.stderr.write(`waybill: The shop in ${options.data} could not be audited: ${messageOf(error)}\n`);
    return notChecked;
  }
  const seconds = (performance.now() - beganMs) / 1_000;
  const fixes = options.fix ? await fixed(report, options) : undefined;
  process.stdout.write(options.json ? jsonOf(report, seconds, fixes) : textOf(report, seconds, fixes, options.send));
  if (!report.balanced) return broken;
  return report.laws.some((law) => law.notChecked !== undefined) ? notChecked : balanced;
}

async function reportOf({ data, gateway }: AuditShop): Promise<AuditReport> {
  if (gateway === undefined || !/^https?:/.test(gateway)) {
    return auditFolder({ folder: data, ledgerFile: gateway ?? sandboxIn(data) });
  }
  // The ledger first: whatever is in it, the shop's books, which are read later, know at least to have asked for.
  await using ledger = await openHttpLedger(gateway);
  await using books = openSqliteBooks(data);
  return await audit({ books, ledger });
}

function sandboxIn(data: string): string | undefined {
  const file = join(data, "gateway", "gateway.sqlite");
  return existsSync(file) ? file : undefined;
}

async function fixed(report: AuditReport, options: AuditShop): Promise<readonly SentFix[]> {
  const fixes = fixesOf(report.breaches);
  if (!options.send) return fixes.map(({ where, fix }) => ({ where, fix, sent: false, answer: "" }));
  await using sender = senderOf(options.data, options.gateway);
  return await sendFixes(fixes, sender);
}

function textOf(report: AuditReport, seconds: number, fixes: readonly SentFix[] | undefined, send: boolean): string {
  const text = reportText(report, seconds, table);
  return fixes === undefined ? `${text}\n` : `${text}\n\n${fixesText(fixes, send)}\n`;
}

function jsonOf(report: AuditReport, seconds: number, fixes: readonly SentFix[] | undefined): string {
  return `${JSON.stringify({ ...report, seconds, ...(fixes === undefined ? {} : { fixes }) }, undefined, 2)}\n`;
}
