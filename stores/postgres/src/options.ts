import { readFileSync } from "node:fs";
import { WaybillError, type World } from "@waybill/messaging";
import { Client, type ClientConfig } from "pg";

/** Where the database is, and which of its schemas is meant. */
export interface DatabaseOptions {
  /** postgres://user:password@host:5432/database, with sslmode and sslrootcert as libpq knows them. */
  readonly url: string;
  /** The schema that holds Waybill's tables; services that share it share its lanes. "waybill" unless given. */
  readonly schema?: string;
  /** A password that is not in the URL, or one that changes. */
  readonly password?: string | (() => string | Promise<string>);
}

/** How a database is reached, and what a store does with it. */
export interface PostgresOptions extends DatabaseOptions {
  readonly world: World;
  /** Connections for commits and reads; two more are for leases, and for what other processes say. 8 unless given. */
  readonly connectionsMax?: number;
  /** How long a connection may take, or a free one may be waited for. 3,000 unless given. */
  readonly connectMs?: number;
  /** How long an answer may take before its connection is given up. 5,000 unless given. */
  readonly answerMs?: number;
  /** Whether statements are prepared once a connection. Unless given: yes, but not behind a pooler. */
  readonly preparedStatements?: boolean;
  /** A URL that goes to the server itself, where `url` goes through a pooler: to hear of lanes that are free. */
  readonly listenUrl?: string;
}

/** A schema's name as SQL takes it. */
export function schemaOf({ schema = "waybill" }: Pick<DatabaseOptions, "schema">): string {
  if (/^[a-z_][a-z0-9_]{0,39}$/.test(schema) && !schema.startsWith("pg_")) return schema;
  throw new WaybillError(
    "CONTRACT_INVALID",
    `"${schema}" cannot be the schema: it must be 1 to 40 lower-case letters, digits and underscores, not begin with a digit or with "pg_".`,
  );
}

/** What the driver is told of the place. Throws CONTRACT_INVALID without a word of the URL, as that holds a password. */
export function placeOf({ url }: Pick<DatabaseOptions, "url">): ClientConfig {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["postgres:", "postgresql:"].includes(parsed.protocol)) {
    throw new WaybillError(
      "CONTRACT_INVALID",
      "The database's URL is not one of PostgreSQL. It looks like this: postgres://user:password@host:5432/database",
    );
  }
  refuseMissingFiles(parsed);
  return {
    connectionString: url,
    application_name: "waybill",
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  };
}

/** The driver's connection, with a password that is not in the URL if there is one: what the URL lacks would win. */
export function clientOf({ password }: Pick<DatabaseOptions, "password">): typeof Client {
  return class extends Client {
    constructor(config?: string | ClientConfig) {
      super(config);
      if (password !== undefined) (this as { password?: unknown }).password = password;
      // A connection that breaks says so to the call under way, or to the next one; nobody else need hear it.
      this.on("error", () => undefined);
    }
  };
}

/** The driver reads certificates itself, and fails deep inside when one is not there. */
function refuseMissingFiles({ searchParams }: URL): void {
  for (const name of ["sslrootcert", "sslcert", "sslkey"]) {
    const path = searchParams.get(name);
    if (path === null) continue;
    try {
      readFileSync(path);
    } catch (cause) {
      throw new WaybillError("CONTRACT_INVALID", `The file that ${name} of the database's URL names cannot be read.`, {
        cause,
      });
    }
  }
}
