import type { Inspection } from "@waybill/store-postgres";
import type { Config } from "../config/effective.ts";
import type { PostgresConnection } from "../config/connections.ts";
import { weaknesses } from "./weaknesses.ts";
import type { FileFindings, Findings, KafkaFindings, NatsFindings, Problem, Seen, Settings } from "./findings.ts";
import { worthOfFile, worthOfPostgres } from "./store-worth.ts";
import { timeText, type Worth } from "./worth.ts";

/** A database or a broker. */
export interface Part {
  /** "PostgreSQL" */
  readonly name: string;
  /** The settings that were found; empty when nobody could look. */
  readonly found: Settings;
  /** What its acknowledgement is worth; of brokers each topic says so itself. */
  readonly worth?: Worth | undefined;
}

/** Less room than this on the disk of the embedded file will not last. */
const roomBytesMin = 268_435_456;

/** Examines databases and brokers, and adds what is not as it should be to `problems`. */
export function partsOf(config: Config, findings: Findings, problems: Problem[]): readonly Part[] {
  const { postgres, nats, kafka, file } = findings;
  const parts: Part[] = [];
  const add = <T>(name: string, seen: Seen<T> | undefined, part: (found: T) => Omit<Part, "name">): void => {
    if (seen === undefined) return;
    if ("found" in seen) {
      parts.push({ name, ...part(seen.found) });
      return;
    }
    const { kind, text } = seen.missed;
    problems.push({ part: name, kind: kind === "refused" ? "wrong" : "unseen", text });
    parts.push({ name, found: {} });
  };
  add("SQLite", file, (found) => filePart(found, problems));
  add("PostgreSQL", postgres, (found) => postgresPart(found, config.postgres!, problems));
  add("NATS", nats, (found) => natsPart(found, problems));
  add("Kafka", kafka, kafkaPart);
  return parts;
}

function filePart(found: FileFindings, problems: Problem[]): Omit<Part, "name"> {
  const { path, sqlite: version, journal, synchronous, bytes, roomBytes } = found;
  const worth = worthOfFile(found);
  problems.push(...weaknesses({ part: "SQLite" }, worth, {}));
  if (roomBytes < roomBytesMin) {
    const text = `The disk has room for ${mib(roomBytes)} more; below ${mib(roomBytesMin)} it is soon full, and then no order is taken.`;
    problems.push({ part: "SQLite", kind: "wrong", text });
  }
  return { found: { file: path, version, journal, synchronous, size: mib(bytes), room: mib(roomBytes) }, worth };
}

function postgresPart(found: Inspection, connection: PostgresConnection, problems: Problem[]): Omit<Part, "name"> {
  const part = "PostgreSQL";
  const wrong = (text: string) => problems.push({ part, kind: "wrong", text });
  const worth = worthOfPostgres(found);
  problems.push(...weaknesses({ part }, worth, {}));
  const { layout, layoutNeeded, schema, pooled, standby, versionNumber, version, encoding, connectionsMax } = found;
  if (versionNumber < 150_000) wrong(`It is version ${version}; 15 or later is needed.`);
  if (encoding !== "UTF8") wrong(`The database's encoding is ${encoding}, and UTF8 is needed: make another database.`);
  if (standby) wrong("It is a standby, which takes no writes: name the primary.");
  if (layout < layoutNeeded) {
    wrong(`The schema ${schema} has layout ${layout} of ${layoutNeeded}: run \`waybill migrate\`.`);
  }
  const needed = connection.connectionsMax + 2;
  if (!pooled && connectionsMax < needed) {
    wrong(`It takes ${connectionsMax} connections (max_connections), and one process opens up to ${needed}.`);
  }
  return {
    found: {
      version,
      schema,
      layout: `${layout} of ${layoutNeeded}`,
      fsync: onOff(found.fsync),
      synchronous_commit: found.synchronousCommit,
      synchronous_standby_names: found.synchronousStandbys === "" ? "none" : found.synchronousStandbys,
      full_page_writes: onOff(found.fullPageWrites),
      wal_level: found.walLevel,
      max_connections: connectionsMax,
      pooler: pooler(pooled, connection),
    },
    worth,
  };
}

function pooler(pooled: boolean, { listenUrl }: PostgresConnection): string {
  if (!pooled) return "none";
  if (listenUrl !== undefined) return "between, but for news of lanes";
  return "between; lanes that are free are found by asking: name the server itself in postgres.listenUrl to be told";
}

function natsPart(found: NatsFindings, problems: Problem[]): Omit<Part, "name"> {
  const { server, sync, silent } = found;
  const { version, name, cluster, maxPayloadBytes, tls } = server;
  problems.push(...silent.map((text): Problem => ({ part: "NATS", kind: "unseen", text })));
  const told = Array.from(sync, ([one, each]) => `${one}: ${each === "always" ? each : timeText(each)}`);
  return {
    found: {
      version,
      server: name,
      cluster: cluster ?? "none",
      max_payload: maxPayloadBytes,
      tls: onOff(tls),
      sync_interval: told.length === 0 ? notTold : told.join(", "),
    },
  };
}

const notTold =
  "not visible to a client; name the servers' monitoring with --nats-monitor, or look into their settings";

function kafkaPart({ version, brokers }: KafkaFindings): Omit<Part, "name"> {
  return { found: { version, brokers: brokers.map(({ id, host, port }) => `${id} at ${host}:${port}`).join(", ") } };
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / 1_048_576).toLocaleString("en")} MiB`;
}

function onOff(is: boolean): string {
  return is ? "on" : "off";
}
