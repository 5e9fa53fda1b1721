import type { Spool, Store } from "@waybill/messaging";
import { committer } from "./commit.ts";
import { connect, type Database } from "./database.ts";
import { keepingOf, type Keeping } from "./keeping.ts";
import { laneCalls } from "./lanes.ts";
import { layoutOf, refuseLayout } from "./migrations.ts";
import { schemaOf, type PostgresOptions } from "./options.ts";
import { outboxCalls } from "./outbox.ts";
import { reads } from "./reads.ts";
import { recovery } from "./recover.ts";
import { factsOf, refuseServer, unsafeSettings } from "./server.ts";
import { spoolOf } from "./spool.ts";
import { statesOf, type States } from "./states.ts";
import { earOf } from "./watch.ts";

/** A store in PostgreSQL, and what else lies in its schema. */
export interface PostgresStore extends Store {
  readonly states: States;
  readonly spool: Spool;
  readonly keeping: Keeping;
}

/**
 * Opens a schema that `migrate` has made. What is applied is durable as soon as the server says so; no topic is hosted.
 * Throws STORE_UNAVAILABLE when the database cannot be reached, CONTRACT_INVALID when it is not migrated, is older than
 * version 15 or has another encoding than UTF8, and LEVEL_TOO_LOW when a newer build has migrated it.
 */
export async function postgresStore(options: PostgresOptions): Promise<PostgresStore> {
  const schema = schemaOf(options);
  const database = await connect(options);
  try {
    await check(database, schema, options);
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
  const channel = `${schema}_freed`;
  const ear = earOf(options, options.listenUrl ?? (database.pooled ? undefined : options.url), channel);
  return {
    nowMs: database.clock.nowMs,
    hosts: () => false,
    ...laneCalls(database, schema, channel),
    watch: (services, freed) => ear.add(services, freed),
    recover: recovery(database, schema),
    commit: committer(database, schema),
    ...reads(database, schema),
    ...outboxCalls(database, schema),
    states: statesOf(database, schema),
    spool: spoolOf(database, schema),
    keeping: keepingOf(database, schema),
    async [Symbol.asyncDispose]() {
      await Promise.all([ear[Symbol.asyncDispose](), database[Symbol.asyncDispose]()]);
    },
  };
}

async function check(database: Database, schema: string, { world }: PostgresOptions): Promise<void> {
  const { clock } = database;
  const ask = <Row>(text: string): Promise<Row[]> => database.rows<Row>({ name: "", text }, []);
  const facts = await factsOf(ask);
  refuseServer(facts);
  refuseLayout(await layoutOf(ask, schema), schema);
  for (const what of unsafeSettings(facts)) world.log("warn", `PostgreSQL: ${what}.`);
  const askedMs = clock.monotonicMs();
  const [row] = await ask<{ now: number }>("select extract(epoch from clock_timestamp())::float8 * 1000 as now");
  clock.told(row!.now, askedMs, clock.monotonicMs());
}
