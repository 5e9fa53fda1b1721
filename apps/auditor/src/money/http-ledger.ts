import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { DatabaseSync } from "node:sqlite";
import type { GatewayFinding, GatewayLedger, GatewayOperation } from "./gateway-ledger.ts";
import { pagesOf } from "../read/pages.ts";
import { auditKeySql, operationOf, repeated } from "./operation-row.ts";

/** A line of the sandbox's `/ledger`. */
interface Line extends Omit<GatewayOperation, "atMs" | "payment" | "auditKey"> {
  readonly id: string;
  readonly paymentId: string;
  readonly key?: string | null;
  readonly at: string;
}

interface Finding {
  readonly rule: string;
  readonly where: string | number;
  readonly difference: number;
}

const table = `create table operation (
  n integer primary key, key text, id text not null, payment integer not null, reference text not null, kind text not null,
  result text not null, amount integer not null, currency text not null, atMs integer not null
) strict`;
const columns = `n, payment, reference, kind, result, amount, currency, atMs, ${auditKeySql("key")}`;

/**
 * A gateway's ledger over HTTP, kept in a file of its own while it is looked at: sorted as needed, and no larger in memory for
 * more operations. Throws when the gateway does not answer.
 */
export async function openHttpLedger(url: string, signal?: AbortSignal): Promise<GatewayLedger> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-ledger-"));
  const db = new DatabaseSync(join(folder, "ledger.db"));
  const close = (): void => {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    db.exec(`pragma journal_mode = off; pragma synchronous = off; pragma temp_store = file; ${table}`);
    await copy(url, db, signal);
    const findings = await findingsOf(url, signal);
    return ledgerOf(db, findings, close);
  } catch (error) {
    close();
    throw error;
  }
}

async function answerOf(url: string, path: string, signal: AbortSignal | undefined): Promise<Response> {
  const response = await fetch(new URL(path, url), signal === undefined ? {} : { signal }).catch((error: unknown) => {
    const { cause } = error as { cause?: unknown };
    const why = cause instanceof Error ? cause.message : String(error);
    throw new Error(`The gateway at ${url} does not answer: ${why}.`, { cause: error });
  });
  if (response.ok && response.body !== null) return response;
  throw new Error(`The gateway at ${url} answers ${response.status} to ${path}.`);
}

async function copy(url: string, db: DatabaseSync, signal: AbortSignal | undefined): Promise<void> {
  const { body } = await answerOf(url, "/ledger", signal);
  const insert = db.prepare("insert into operation values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  db.exec("begin");
  for await (const text of createInterface({ input: Readable.fromWeb(body!) })) {
    if (text === "") continue;
    const { n, key, id, paymentId, reference, kind, result, amount, currency, at } = JSON.parse(text) as Line;
    // A payment's id is pay_<ledger>_<number>.
    const payment = Number(paymentId.split("_").at(-1));
    insert.run(n, key ?? null, id, payment, reference, kind, result, amount, currency, Date.parse(at));
  }
  db.exec("commit");
}

async function findingsOf(url: string, signal: AbortSignal | undefined): Promise<readonly GatewayFinding[]> {
  const { findings } = (await (await answerOf(url, "/audit", signal)).json()) as { findings: readonly Finding[] };
  return findings.map(({ rule, where, difference }) => ({
    what: `The gateway's own books are wrong by ${difference}. ${rule}`,
    where: `gateway: ${where}`,
    sinceMs: undefined,
  }));
}

function ledgerOf(db: DatabaseSync, findings: readonly GatewayFinding[], close: () => void): GatewayLedger {
  const first = db.prepare("select id from operation limit 1").get() as { id: string } | undefined;
  const { lastN } = db.prepare("select coalesce(max(n), 0) as lastN from operation").get() as { lastN: number };
  return {
    // An operation's id is op_<ledger>_<n>.
    id: first?.id.split("_").slice(1, -1).join("_") ?? "",
    lastN,
    operations({ from = "", before } = {}) {
      const where = before === undefined ? "reference >= ?" : "reference >= ? and reference < ?";
      const sql = `select ${columns} from operation where ${where} order by reference, n`;
      return pagesOf(db, sql, before === undefined ? [from] : [from, before], operationOf);
    },
    async repeatedKeys() {
      const sql = `select key, count(*) as count, max(atMs) as atMs from operation where key is not null
        group by key having count(*) > 1`;
      const rows = db.prepare(sql).all() as { key: string; count: number; atMs: number }[];
      return rows.map(repeated);
    },
    imbalances: async () => findings,
    [Symbol.asyncDispose]: async () => close(),
  };
}
