import { WaybillError } from "@waybill/messaging";

/** Asks a database something. */
export type Ask = <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

/** What a server says of itself. */
export interface ServerFacts {
  /** 15.18 */
  readonly version: string;
  /** 150018 */
  readonly versionNumber: number;
  readonly encoding: string;
  /** It takes no writes. */
  readonly standby: boolean;
  readonly fsync: boolean;
  /** off, local, remote_write, on or remote_apply. */
  readonly synchronousCommit: string;
  /** The standbys that a commit waits for; empty: none. */
  readonly synchronousStandbys: string;
  readonly fullPageWrites: boolean;
  readonly walLevel: string;
  readonly connectionsMax: number;
}

export async function factsOf(ask: Ask): Promise<ServerFacts> {
  const setting = (name: string): string => `current_setting('${name}')`;
  const [facts] = await ask<ServerFacts>(`select
    ${setting("server_version")} as version, ${setting("server_version_num")}::int as "versionNumber",
    ${setting("server_encoding")} as encoding, pg_is_in_recovery() as standby, ${setting("fsync")}::boolean as fsync,
    ${setting("synchronous_commit")} as "synchronousCommit",
    ${setting("synchronous_standby_names")} as "synchronousStandbys",
    ${setting("full_page_writes")}::boolean as "fullPageWrites", ${setting("wal_level")} as "walLevel",
    ${setting("max_connections")}::int as "connectionsMax"`);
  return facts!;
}

/** Refuses a server that cannot keep what the store promises. */
export function refuseServer({ version, versionNumber, encoding, standby }: ServerFacts): void {
  if (versionNumber < 150_000) {
    throw new WaybillError("CONTRACT_INVALID", `PostgreSQL 15 or later is needed; the server is version ${version}.`);
  }
  if (encoding !== "UTF8") {
    throw new WaybillError(
      "CONTRACT_INVALID",
      `The database's encoding is ${encoding}; make one with \`create database … encoding 'UTF8'\`.`,
    );
  }
  if (standby) {
    throw new WaybillError("STORE_UNAVAILABLE", "The database is a standby, which takes no writes; name the primary.");
  }
}

/** What is lost, and when, of what such a server has acknowledged; nothing when it is as safe as it can be. */
export function unsafeSettings({ fsync, synchronousCommit, fullPageWrites }: ServerFacts): string[] {
  return [
    ...(fsync ? [] : ["fsync is off: a crash of the machine may destroy the database"]),
    ...(fullPageWrites ? [] : ["full_page_writes is off: a crash of the machine may destroy pages"]),
    ...(synchronousCommit === "off"
      ? ["synchronous_commit is off: a crash of the server loses the last commits, although they were acknowledged"]
      : []),
  ];
}
