import { startPgBouncer, startPostgres, type Server } from "@waybill/brokers";
import { testStore } from "@waybill/conformance";
import { inspect, migrate, postgresStore } from "@waybill/store-postgres";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testDatabase, world, type TestDatabase } from "./database.ts";
import { underTest } from "./under-test.ts";

let server: Server;
let database: TestDatabase;
let bouncer: Server;
let url: string;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: false } });
  database = await testDatabase(server.url);
  bouncer = await startPgBouncer(server, { settings: { default_pool_size: 4 } });
  url = bouncer.url.replace("/postgres", new URL(database.url).pathname);
  await migrate({ url });
});

afterAll(async () => {
  await bouncer[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

// Every case, with each transaction on whatever connection the pooler has.
testStore("postgres behind PgBouncer in transaction mode", () => underTest(database, { url, listenUrl: database.url }));

describe("a pooler", () => {
  test("is noticed", async () => {
    expect((await inspect({ url })).pooled).toBe(true);
    expect((await inspect({ url: database.url })).pooled).toBe(false);
  });

  test("gets no settings and no prepared statements that others would find", async () => {
    await using store = await postgresStore({ url, world });
    await Promise.all(Array.from({ length: 8 }, () => store.survey(["orders"])));
    for (const _ of Array.from({ length: 8 })) {
      const [session] = await sessions(url);
      expect(session).toEqual({ seqscan: "on", timeout: "0", prepared: 0 });
    }
  });

  test("without a URL of the server itself nothing is heard, and nothing fails", async () => {
    await using store = await postgresStore({ url, world });
    await using watch = store.watch(["orders"], () => undefined);
    expect(watch).toBeDefined();
    expect((await store.survey(["nobody's"])).lanes).toEqual([]);
    expect(await database.sql("select from pg_stat_activity where query like 'listen %'")).toEqual([]);
  });
});

async function sessions(of: string): Promise<unknown[]> {
  const client = new Client({ connectionString: of });
  await client.connect();
  const { rows } = await client.query(`select current_setting('enable_seqscan') as seqscan,
    current_setting('statement_timeout') as timeout, (select count(*)::int from pg_prepared_statements) as prepared`);
  await client.end();
  return rows;
}
