import { sharedPostgres } from "@waybill/brokers";
import type { World } from "@waybill/messaging";
import { Client } from "pg";

/** The real clock; waits are real as well. */
export const world: World = {
  monotonicMs: () => performance.now(),
  newId: () => crypto.randomUUID(),
  random: () => 0.5,
  turn: async () => {},
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    }),
  log: () => {},
};

/** A database of its own on the server that the test run shares. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  /** Rows of a statement, on a connection beside those of stores. */
  sql<Row = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Locks rows from a connection of its own, until what it gives is called. */
  hold(text: string): Promise<() => Promise<void>>;
  /** Takes every row out of a schema, so that it is as it was made. */
  empty(schema: string): Promise<void>;
  /** Ends every other connection to it, as if the processes at their other ends had been killed. */
  endConnections(): Promise<void>;
}

export async function testDatabase(server?: string): Promise<TestDatabase> {
  const url = new URL(server ?? (await sharedPostgres()));
  const root = await client(url.href);
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await root.query(`create database ${name}`);
  // Its server is not killed here: an fsync for each of thousands of commits would try nothing.
  await root.query(`alter database ${name} set synchronous_commit = off`);
  url.pathname = `/${name}`;
  const own = await client(url.href);
  const others = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
  return {
    url: url.href,
    async sql<Row>(text: string, values: unknown[] = []) {
      return (await own.query(text, values)).rows as Row[];
    },
    async hold(text) {
      const holder = await client(url.href);
      await holder.query("begin");
      await holder.query(text);
      return async () => {
        await holder.end();
      };
    },
    async empty(schema) {
      const tables = await own.query<{ name: string }>(
        "select tablename as name from pg_tables where schemaname = $1 and tablename not in ('meta', 'spool_lease')",
        [schema],
      );
      await own.query(tables.rows.map(({ name }) => `delete from ${schema}.${name};`).join(""));
    },
    async endConnections() {
      while ((await own.query(`select pg_terminate_backend(pid) ${others}`)).rows.length > 0);
    },
    async [Symbol.asyncDispose]() {
      await own.end();
      await root.query(`drop database ${name} with (force)`);
      await root.end();
    },
  };
}

async function client(url: string): Promise<Client> {
  const made = new Client({ connectionString: url });
  // The next call says that the connection is gone.
  made.on("error", () => undefined);
  await made.connect();
  return made;
}
