import { WaybillError } from "@waybill/messaging";
import { Pool, TypeOverrides, types, type Client, type PoolClient } from "pg";
import { clockFrom, type Clock } from "./clock.ts";
import { failureOf, unavailable } from "./failures.ts";
import { clientOf, placeOf, type PostgresOptions } from "./options.ts";

/** A statement, by a name that no other one has. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Connections to a database, and what is said over them. */
export interface Database extends AsyncDisposable {
  readonly clock: Clock;
  /** Whether there is a pooler between: the server's processes are then not ours for longer than a transaction. */
  readonly pooled: boolean;
  /** Rows of a statement. Throws STORE_UNAVAILABLE or CLOSED. */
  rows<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  /** The same on a connection that nothing else holds up: for leases, which end while somebody waits. */
  atOnce<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  /** A statement whose values are made when its connection is there. Its errors are the driver's own. */
  send<Row>(statement: Statement, values: () => unknown[]): Promise<Row[]>;
}

/** 64-bit numbers as numbers: none of ours is above 2^53. */
const numbers = new TypeOverrides(types);
numbers.setTypeParser(types.builtins.INT8, Number);

/**
 * Settings of a session that is ours alone. Plans are kept while tables grow, so they must be ways through an index, in
 * its order, also when they are made while a table is empty.
 */
const settings = {
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  enable_memoize: "off",
  enable_bitmapscan: "off",
  enable_sort: "off",
  plan_cache_mode: "force_generic_plan",
  jit: "off",
  lock_timeout: "2000",
  idle_in_transaction_session_timeout: "5000",
} as const;

/** Connects for the first time. Throws STORE_UNAVAILABLE, or CONTRACT_INVALID for what nobody could connect with. */
export async function connect(options: PostgresOptions): Promise<Database> {
  const { world, connectMs = 3_000, answerMs = 5_000, connectionsMax = 8 } = options;
  const clock = clockFrom(world.monotonicMs);
  const session = sessionSettings(answerMs);
  let pooled = false;
  let closed = false;

  async function onConnect(client: Client): Promise<void> {
    pooled = await isPooled(client, session);
  }

  function pool(max: number): Pool {
    const made = new Pool({
      ...placeOf(options),
      Client: clientOf(options),
      types: numbers,
      max,
      connectionTimeoutMillis: connectMs,
      query_timeout: answerMs,
      idleTimeoutMillis: 60_000,
      // oxlint-disable-next-line no-misused-promises -- the driver waits for it; its types do not say so
      onConnect: onConnect as (client: unknown) => Promise<void>,
    });
    // A connection that breaks while nobody uses it is replaced when somebody does.
    made.on("error", (error) => world.log("warn", "A connection to the database broke.", { error: error.message }));
    return made;
  }

  const work = pool(connectionsMax);
  const leases = pool(1);

  async function on<Row>(from: Pool, { name, text }: Statement, values: () => unknown[]): Promise<Row[]> {
    const client = await taken(from);
    let failed: Error | undefined;
    try {
      const prepared = options.preparedStatements ?? !pooled;
      const result = await client.query({ ...(prepared ? { name } : {}), text, values: values() });
      return result.rows as Row[];
    } catch (error) {
      failed = error as Error;
      throw error;
    } finally {
      // After any error the connection is another one: it may be in the middle of something.
      client.release(failed);
    }
  }

  async function taken(from: Pool): Promise<PoolClient> {
    if (closed) throw new WaybillError("CLOSED", "The store is closed.");
    try {
      return await from.connect();
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** As `on`, with errors that are ours. */
  async function rows<Row>(from: Pool, statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    try {
      return await on<Row>(from, statement, () => values as unknown[]);
    } catch (error) {
      throw error instanceof WaybillError ? error : failureOf(error);
    }
  }

  const database: Database = {
    clock,
    get pooled() {
      return pooled;
    },
    rows: (statement, values) => rows(work, statement, values),
    atOnce: (statement, values) => rows(leases, statement, values),
    send: (statement, values) => on(work, statement, values),
    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      await Promise.all([work.end(), leases.end()]);
    },
  };
  try {
    await database.atOnce({ name: "", text: "select 1" }, []);
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
  return database;
}

/** Ends a connection without waiting for the other side, which may never answer again. */
export function hangUp(client: Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  client.end().catch(() => undefined);
  connection.stream.destroy();
}

/** Sets up the session of a new connection, unless somebody else will have it after our transaction. */
async function isPooled(client: Client, session: string): Promise<boolean> {
  // A pooler tells each client of a process that is none, so that it can cancel what the client asks for.
  const { processID } = client as unknown as { processID: number };
  const { rows } = await client.query<{ pooled: boolean }>(session, [processID]);
  if (rows[0] === undefined) throw unavailable("The database did not answer.");
  return rows[0].pooled;
}

function sessionSettings(answerMs: number): string {
  const all = { ...settings, statement_timeout: String(answerMs) };
  const sets = Object.entries(all).map(([name, value]) => `set_config('${name}', '${value}', false)`);
  return `select pg_backend_pid() <> $1::int as pooled,
    case when pg_backend_pid() = $1::int then array[${sets.join(", ")}] end as settings`;
}
