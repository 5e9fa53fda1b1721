import {
  audit,
  auditFolder,
  fixesOf,
  fixesText,
  openHttpLedger,
  openBrokerBooks,
  openSqliteBooks,
  openSqliteLedger,
  reportText,
  sendFixes,
  type AuditReport,
  type GatewayLedger,
  type SentFix,
} from "@waybill/auditor";
import { messageOf } from "@waybill/messaging";
import { openEngine, realWorld, shopContract, type Config } from "@waybill/server";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { table } from "../table.ts";
import { senderOf } from "./send.ts";

export interface AuditShop {
  readonly config: Config;
  /** The address of its server; undefined: the one that works in the data folder, if one does. */
  readonly server: string | undefined;
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
    process.stderr.write(`waybill: The shop in ${options.config.data} could not be audited: ${messageOf(error)}\n`);
    return notChecked;
  }
  const seconds = (performance.now() - beganMs) / 1_000;
  const fixes = options.fix ? await fixed(report, options) : undefined;
  process.stdout.write(options.json ? jsonOf(report, seconds, fixes) : textOf(report, seconds, fixes, options.send));
  if (!report.balanced) return broken;
  return report.laws.some((law) => law.notChecked !== undefined) ? notChecked : balanced;
}

async function reportOf({ config, gateway }: AuditShop): Promise<AuditReport> {
  const { engine: name, data } = config;
  const isHttp = gateway !== undefined && /^https?:/.test(gateway);
  const ledgerFile = isHttp ? undefined : (gateway ?? sandboxIn(data));
  if (name === "embedded" && !isHttp) return auditFolder({ folder: data, ledgerFile });
  // The ledger first: whatever is in it, the shop's books, which are read later, know at least to have asked for.
  await using ledger = isHttp ? await openHttpLedger(gateway) : fileLedger(ledgerFile);
  if (name === "embedded") {
    await using books = openSqliteBooks(data);
    return await audit({ books, ledger });
  }
  await using engine = await openEngine(config, { data, world: realWorld(() => undefined), readOnly: true });
  const { url, password, schema } = config.postgres!;
  await using books = await openBrokerBooks({
    database: { url, password, schema },
    topics: shopContract().topics.map((topic) => topic.name),
    transportOf: (topic) => engine.transportOf(topic),
  });
  return await audit({ books, ledger });
}

function fileLedger(file: string | undefined): GatewayLedger | undefined {
  return file === undefined ? undefined : openSqliteLedger(file);
}

function sandboxIn(data: string): string | undefined {
  const file = join(data, "gateway", "gateway.sqlite");
  return existsSync(file) ? file : undefined;
}

async function fixed(report: AuditReport, options: AuditShop): Promise<readonly SentFix[]> {
  const fixes = fixesOf(report.breaches);
  if (!options.send) return fixes.map(({ where, fix }) => ({ where, fix, sent: false, answer: "" }));
  await using sender = senderOf(options.config, options.server, options.gateway);
  return await sendFixes(fixes, sender);
}

function textOf(report: AuditReport, seconds: number, fixes: readonly SentFix[] | undefined, send: boolean): string {
  const text = reportText(report, seconds, table);
  return fixes === undefined ? `${text}\n` : `${text}\n\n${fixesText(fixes, send)}\n`;
}

function jsonOf(report: AuditReport, seconds: number, fixes: readonly SentFix[] | undefined): string {
  return `${JSON.stringify({ ...report, seconds, ...(fixes === undefined ? {} : { fixes }) }, undefined, 2)}\n`;
}
