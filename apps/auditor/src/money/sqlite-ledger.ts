import { accessSync, constants } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pagesOf } from "../read/pages.ts";
import { auditKeySql, operationOf, repeated } from "./operation-row.ts";
import type { GatewayFinding, GatewayLedger } from "./gateway-ledger.ts";

const operationsSql = `select o.n, o.payment, p.reference, o.kind, o.result, o.amount, o.currency, o.at_ms,
  ${auditKeySql("o.key")} from operation o join payment p on p.n = o.payment`;

/** Only of keys that stand for several is more looked at than their index: the operations themselves lie all over the file. */
const repeatedSql = `select key, count, (select max(at_ms) from operation where operation.key = twice.key) as atMs from (
  select key, count(*) as count from operation where key is not null group by key having count(*) > 1) as twice`;

/** What must hold in the gateway's books: each selects what breaks it. */
const rules: Readonly<Record<string, string>> = {
  "The debits and credits of an operation differ by":
    "select 'operation ' || operation as place, sum(amount) as difference from entry group by operation having sum(amount) <> 0",
  "What a payment says was captured and not refunded differs from its operations by": `
    select 'payment ' || payment as place, sum(minor) as difference from (
      select n as payment, captured - refunded as minor from payment
      union all select payment, case kind when 'capture' then -amount else amount end from operation
        where result = 'approved' and kind in ('capture', 'refund'))
    group by payment having sum(minor) <> 0`,
  "What the merchant's account holds differs from what was captured and not refunded by": `
    select currency as place, sum(amount) as difference from (
      select currency, amount from entry where account = 'merchant'
      union all select currency, refunded - captured from payment)
    group by currency having sum(amount) <> 0`,
};

/** The sandbox gateway's ledger, read from its file beside the gateway that writes it. Throws when it cannot be read. */
export function openSqliteLedger(path: string): GatewayLedger {
  accessSync(path, constants.R_OK);
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    // Large sorts go through files, not through memory.
    db.exec("pragma temp_store = file; pragma cache_size = -16384; begin");
    return ledgerOf(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function ledgerOf(db: DatabaseSync): GatewayLedger {
  const { id } = db.prepare("select id from ledger").get() as { id: string };
  const { lastN } = db.prepare("select coalesce(max(n), 0) as lastN from operation").get() as { lastN: number };
  return {
    id,
    lastN,
    operations({ from = "", before } = {}) {
      const where = before === undefined ? "p.reference >= ?" : "p.reference >= ? and p.reference < ?";
      const sql = `${operationsSql} where ${where} order by p.reference, o.n`;
      return pagesOf(db, sql, before === undefined ? [from] : [from, before], operationOf);
    },
    async repeatedKeys() {
      const rows = db.prepare(repeatedSql).all() as { key: string; count: number; atMs: number }[];
      return rows.map(repeated);
    },
    imbalances: async () => Object.entries(rules).flatMap(([what, sql]) => broken(db, what, sql)),
    [Symbol.asyncDispose]: async () => db.close(),
  };
}

function broken(db: DatabaseSync, what: string, sql: string): GatewayFinding[] {
  const rows = db.prepare(`${sql} limit 100`).all() as { place: string; difference: number }[];
  return rows.map(({ place, difference }) => ({
    what: `${what} ${difference}.`,
    where: `gateway: ${place}`,
    sinceMs: undefined,
  }));
}
