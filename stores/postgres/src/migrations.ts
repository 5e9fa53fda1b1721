import { codeOf, WaybillError } from "@waybill/messaging";
import type { Client } from "pg";
import { hangUp } from "./database.ts";
import { failureOf } from "./failures.ts";
import { functions } from "./functions.ts";
import { clientOf, placeOf, schemaOf, type DatabaseOptions } from "./options.ts";
import { factsOf, refuseServer, type Ask } from "./server.ts";
import { tables } from "./tables.ts";

interface Migration {
  readonly name: string;
  /** The oldest layout whose builds can still work when this one is there. */
  readonly servesFrom: number;
  readonly sql: (schema: string) => string;
}

/** Layout n is made by the n-th. One that has been released is never changed; another one is added. */
const migrations: readonly Migration[] = [
  { name: "tables of services", servesFrom: 1, sql: (schema) => tables(schema) + functions(schema) },
];

export const latestLayout = migrations.length;

/** What was done to a schema, or would be. */
export interface Migrated {
  readonly schema: string;
  /** The layout before and after; 0: there was nothing. */
  readonly from: number;
  readonly to: number;
  /** By name, in order; empty when the schema is up to date. */
  readonly applied: readonly string[];
}

/**
 * Brings a schema to the layout of this build, and makes it if there is none. All of it or nothing; of several at once
 * one does it and the others find it done. Throws STORE_UNAVAILABLE, CONTRACT_INVALID when the server is too old, and
 * LEVEL_TOO_LOW when the database is ahead of this build.
 */
export async function migrate(options: DatabaseOptions): Promise<Migrated> {
  const schema = schemaOf(options);
  return await withClient(options, async (client) => {
    refuseServer(await factsOf(asking(client)));
    await client.query("begin");
    await client.query("set local statement_timeout = 0");
    await client.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`waybill migrate ${schema}`]);
    await client.query(`create schema if not exists ${schema}`);
    await client.query(`create table if not exists ${schema}.meta (name text primary key, value text not null)`);
    const { layout: from } = await layoutOf(asking(client), schema);
    refuseNewer(from, schema);
    const pending = migrations.slice(from);
    for (const { sql } of pending) await client.query(sql(schema));
    await writeLayout(client, schema);
    await client.query("commit");
    return { schema, from, to: latestLayout, applied: pending.map(({ name }) => name) };
  });
}

/** The names of what `migrate` would do. Throws as it does. */
export async function pendingMigrations(options: DatabaseOptions): Promise<readonly string[]> {
  const schema = schemaOf(options);
  return await withClient(options, async (client) => {
    const { layout } = await layoutOf(asking(client), schema);
    refuseNewer(layout, schema);
    return migrations.slice(layout).map(({ name }) => name);
  });
}

/** The layout of a schema, 0 when there is none, and the oldest whose builds may work with it. */
export async function layoutOf(ask: Ask, schema: string): Promise<{ layout: number; servesFrom: number }> {
  const [there] = await ask<{ meta: string | null }>(`select to_regclass('${schema}.meta')::text as meta`);
  if (there!.meta === null) return { layout: 0, servesFrom: 0 };
  const rows = await ask<{ name: string; value: string }>(`select name, value from ${schema}.meta`);
  const numberOf = (name: string): number => Number(rows.find((row) => row.name === name)?.value ?? 0);
  return { layout: numberOf("layout"), servesFrom: numberOf("serves_from") };
}

/** Refuses a schema that this build cannot work with. */
export function refuseLayout({ layout, servesFrom }: { layout: number; servesFrom: number }, schema: string): void {
  if (servesFrom > latestLayout) throw newer(layout, schema);
  if (layout >= latestLayout) return;
  const found = layout === 0 ? "has no tables yet" : `has layout ${layout}, and this build needs ${latestLayout}`;
  throw new WaybillError(
    "CONTRACT_INVALID",
    `The schema "${schema}" of the database ${found}. Run \`waybill migrate\` and start again.`,
    { details: { schema, layout, needed: latestLayout } },
  );
}

function refuseNewer(layout: number, schema: string): void {
  if (layout > latestLayout) throw newer(layout, schema);
}

function newer(layout: number, schema: string): WaybillError {
  return new WaybillError(
    "LEVEL_TOO_LOW",
    `The schema "${schema}" of the database has layout ${layout}; this build knows layouts up to ${latestLayout}. ` +
      "Use the build that made it, or a later one.",
    { details: { schema, layout, known: latestLayout } },
  );
}

async function writeLayout(client: Client, schema: string): Promise<void> {
  const values = { layout: latestLayout, serves_from: migrations.at(-1)!.servesFrom };
  for (const [name, value] of Object.entries(values)) {
    const text = `insert into ${schema}.meta values ($1, $2) on conflict (name) do update set value = excluded.value`;
    await client.query(text, [name, String(value)]);
  }
}

function asking(client: Client): Ask {
  return async (text, values = []) => (await client.query(text, values as unknown[])).rows;
}

/** A connection for one task. What is not committed at its end is not kept. */
export async function withClient<Result>(
  options: DatabaseOptions,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const Connection = clientOf(options);
  const client = new Connection({ ...placeOf(options), connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw codeOf(error) === undefined ? failureOf(error) : error;
  } finally {
    hangUp(client);
  }
}
