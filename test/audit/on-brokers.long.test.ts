import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { audit, openBrokerBooks, openSqliteLedger, type AuditReport } from "@waybill/auditor";
import { startKafka, startNats, startPostgres, type Server } from "@waybill/brokers";
import { allTopics } from "@waybill/contracts";
import { loadConfig, openEngine, realWorld, type Config, type Engine } from "@waybill/server";
import { migrate } from "@waybill/store-postgres";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../boundaries/files.ts";
import { brokenLaws, shopWithOrders, type ShopOrders } from "./shop-with-orders.ts";

const starts = { nats: startNats, kafka: startKafka } as const;
const variables = { nats: "WAYBILL_NATS_URL", kafka: "WAYBILL_KAFKA_URL" } as const;

describe.each(["nats", "kafka"] as const)("the audit of a shop on %s and PostgreSQL", (name) => {
  const data = mkdtempSync(join(tmpdir(), "waybill-audit-brokers-"));
  const open = new AsyncDisposableStack();
  let env: Record<string, string>;
  let postgres: Server;
  let config: Config;
  let engine: Engine;
  let orders: ShopOrders;
  let database: Client;

  beforeAll(async () => {
    postgres = open.use(await startPostgres());
    const broker = open.use(await starts[name]());
    await migrate({ url: postgres.url });
    env = { WAYBILL_ENGINE: name, WAYBILL_POSTGRES_URL: postgres.url, [variables[name]]: broker.url };
    config = await loadConfig({ env });
    orders = await shopWithOrders(data, config);
    engine = open.use(await openEngine(config, { data, world: realWorld(() => undefined) }));
    database = new Client({ connectionString: postgres.url });
    await database.connect();
    open.defer(() => database.end());
  });
  afterAll(async () => {
    await open.disposeAsync();
    rmSync(data, { recursive: true, force: true });
  });

  async function report(): Promise<AuditReport> {
    await using ledger = openSqliteLedger(join(data, "gateway", "gateway.sqlite"));
    await using books = await openBrokerBooks({
      database: { url: postgres.url },
      topics: allTopics.map((topic) => topic.name),
      transportOf: (topic) => engine.transportOf(topic),
      sentWithinMs: 1_000,
    });
    return await audit({ books, ledger });
  }

  /** Breaks the database by hand, audits, and puts it back as it was. */
  async function broken(sql: string, ...values: unknown[]): Promise<AuditReport> {
    const tables = ["state", "lane", "position", "sent", "effect", "timer"];
    for (const table of tables) await database.query(`create table kept_${table} as table waybill.${table}`);
    try {
      const { rowCount } = await database.query(sql, values);
      expect(rowCount).toBeGreaterThan(0);
      return await report();
    } finally {
      for (const table of tables) {
        await database.query(`delete from waybill.${table}`);
        await database.query(`insert into waybill.${table} table kept_${table}`);
        await database.query(`drop table kept_${table}`);
      }
    }
  }

  const changed = (kind: string, from: string, to: string) =>
    `update waybill.state set body = replace(body, '${from}', '${to}') where kind = '${kind}' and id = $1`;

  test("finds nothing where all is well, and checks every law", async () => {
    const { laws, breaches } = await report();
    expect(breaches).toEqual([]);
    for (const { checked, notChecked } of laws) {
      expect(checked).toBeGreaterThan(0);
      expect(notChecked).toBeUndefined();
    }
  });

  test("is what waybill audit prints", async () => {
    const run = (args: readonly string[]) =>
      new Promise<string>((resolve, reject) => {
        const options = { cwd: root, env: { ...process.env, ...env } };
        execFile("npx", ["waybill", "audit", ...args], options, (error, stdout) =>
          error === null ? resolve(stdout) : reject(error),
        );
      });
    expect(await run(["--data", data])).toContain("The books balance (19 orders");
  });

  test.each([
    [1, "what a broker has confirmed and does not hold", "update waybill.sent set n = n + 1 where topic = 'orders'"],
    [
      1,
      "what a reader passed over",
      "update waybill.position set marks = '{}' where topic = 'orders' and marks <> '{}'",
    ],
    [5, "goods that are held for an order that is over", changed("reservation", '"shipped"', '"held"'), "completed"],
    [6, "an order that thinks it is paid", changed("order", '"captured":', '"captured":9'), "completed"],
    [7, "money that was booked and never moved", changed("payment", "op_", "op_x"), "completed"],
    [8, "a lane that has stopped", "update waybill.lane set stopped = 'GAP: missing' where service = 'payments'"],
    [9, "an order that is not what the log tells", changed("order", '"completed"', '"shipped"'), "completed"],
  ] as const)("sees law %i broken by %s", async (law, _, sql, which?: "completed") => {
    const of = which === undefined ? [] : [orders[which][0]];
    expect(brokenLaws(await broken(sql, ...of))).toContain(law);
  });

  test("sees stock that is gone", async () => {
    const sql = `update waybill.state set body = regexp_replace(body, '"onHand":(\\d+)', '"onHand":7\\1')
      where kind = 'stock' and id = 'pen'`;
    const { breaches } = await broken(sql);
    expect(breaches).toMatchObject([{ law: 4, where: "SKU pen", fix: { type: "stock.adjust" } }]);
  });

  test("does not judge before brokers hold what was said", async () => {
    const sql = `insert into waybill.outbox select 'orders', 0, 'orders', 1, 1000000, 1000000, 1, ''::bytea`;
    await database.query(sql);
    await expect(report()).rejects.toThrow("Messages of orders/0 to orders/1 wait in the outbox");
    await database.query("delete from waybill.outbox where last_n = 1000000");
  });
});
