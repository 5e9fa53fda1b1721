import type { Issue } from "@waybill/messaging";
import { readFileSync } from "node:fs";
import type { EngineName, TlsSettings, WaybillConfig } from "./schema.ts";

/** TLS, with paths of PEM files. */
export interface Tls {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

interface Login {
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Undefined: without TLS. */
  readonly tls?: Tls | undefined;
}

export interface PostgresConnection {
  readonly url: string;
  readonly password?: string | undefined;
  readonly schema: string;
  readonly connectionsMax: number;
  readonly listenUrl?: string | undefined;
}

export interface NatsConnection extends Login {
  readonly servers: readonly string[];
  readonly token?: string | undefined;
  /** The text of a file of credentials. */
  readonly credentials?: string | undefined;
}

export interface KafkaConnection extends Login {
  /** `host:port` */
  readonly brokers: readonly string[];
  readonly mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-512";
}

/** What an engine connects to; undefined what it does not use. */
export interface Connections {
  readonly postgres?: PostgresConnection | undefined;
  readonly nats?: NatsConnection | undefined;
  readonly kafka?: KafkaConnection | undefined;
}

const examples = {
  postgres: "postgres://waybill@127.0.0.1:5432/waybill",
  nats: "nats://127.0.0.1:4222",
  kafka: "127.0.0.1:9092",
};
type Name = keyof typeof examples;

const needs: Readonly<Record<EngineName, readonly Name[]>> = {
  embedded: [],
  nats: ["postgres", "nats"],
  kafka: ["postgres", "kafka"],
  hybrid: ["postgres", "nats", "kafka"],
};

/** What the engine connects to. Adds what is missing or cannot be to `issues`. */
export function connectionsOf(engine: EngineName, said: WaybillConfig, issues: Issue[]): Connections {
  const isNeeded = (name: Name) => needs[engine].includes(name);
  return {
    postgres: isNeeded("postgres") ? postgresOf(engine, said.postgres ?? {}, issues) : undefined,
    nats: isNeeded("nats") ? natsOf(engine, said.nats ?? {}, issues) : undefined,
    kafka: isNeeded("kafka") ? kafkaOf(engine, said.kafka ?? {}, issues) : undefined,
  };
}

function postgresOf(
  engine: EngineName,
  said: NonNullable<WaybillConfig["postgres"]>,
  issues: Issue[],
): PostgresConnection {
  const url = urlOf(engine, "postgres", said.url, issues);
  const { password, schema = "waybill", connectionsMax = 8, listenUrl } = said;
  for (const [name, one] of Object.entries({ url, listenUrl })) {
    if (one && !isPostgres(one)) issues.push({ ...unlike("postgres"), field: `postgres.${name}` });
  }
  if (!/^[a-z_][a-z0-9_]{0,39}$/.test(schema) || schema.startsWith("pg_")) {
    const reason = 'must be 1 to 40 lower-case letters, digits and underscores, and not begin with a digit or "pg_"';
    issues.push({ field: "postgres.schema", reason });
  }
  return { url, password, schema, connectionsMax, listenUrl };
}

function isPostgres(url: string): boolean {
  return URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol);
}

function natsOf(engine: EngineName, said: NonNullable<WaybillConfig["nats"]>, issues: Issue[]): NatsConnection {
  const servers = partsOf(urlOf(engine, "nats", said.url, issues));
  if (servers.some((server) => !/^((nats|tls):\/\/)?[^\s/:@]+(:\d+)?\/?$/.test(server))) issues.push(unlike("nats"));
  const { user, password, token, credentialsFile } = said;
  const given = Object.entries({ user, token, credentialsFile }).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    const names = given.map(([name]) => `nats.${name}`).join(" and ");
    issues.push({ field: "nats", reason: `${names} are given; log in in one way` });
  }
  const credentials = credentialsFile && textOf("nats.credentialsFile", credentialsFile, issues);
  return { servers, user, password, token, credentials, tls: tlsOf("nats", said.tls, issues) };
}

function kafkaOf(engine: EngineName, said: NonNullable<WaybillConfig["kafka"]>, issues: Issue[]): KafkaConnection {
  const brokers = partsOf(urlOf(engine, "kafka", said.url, issues)).map((one) => one.replace(/^kafka:\/\//, ""));
  if (brokers.some((broker) => !/^(\[[0-9a-f:]+\]|[^\s/:@]+):\d{1,5}$/i.test(broker))) issues.push(unlike("kafka"));
  const { user, password, mechanism = "SCRAM-SHA-512" } = said;
  if ((user === undefined) !== (password === undefined)) {
    issues.push({ field: "kafka", reason: "a user and a password go together: give kafka.user and kafka.password" });
  }
  return { brokers, user, password, mechanism, tls: tlsOf("kafka", said.tls, issues) };
}

function urlOf(engine: EngineName, name: Name, url: string | undefined, issues: Issue[]): string {
  if (url !== undefined) return url;
  const variable = `WAYBILL_${name.toUpperCase()}_URL`;
  const reason = `the engine ${engine} needs it; set ${variable}, such as ${examples[name]}`;
  issues.push({ field: `${name}.url`, reason });
  return "";
}

/** Does not repeat what was given: it may hold a password. */
function unlike(name: Name): Issue {
  return { field: `${name}.url`, reason: `must be like ${examples[name]}` };
}

function partsOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function tlsOf(name: "nats" | "kafka", said: TlsSettings | undefined, issues: Issue[]): Tls | undefined {
  const { caFile, certFile, keyFile } = said ?? {};
  const isGiven = caFile !== undefined || certFile !== undefined || keyFile !== undefined;
  if (!(said?.enabled ?? isGiven)) return undefined;
  const field = `${name}.tls`;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    issues.push({ field, reason: "a certificate and its key go together: give certFile and keyFile" });
  }
  for (const [member, path] of Object.entries({ caFile, certFile, keyFile })) {
    if (path !== undefined) textOf(`${field}.${member}`, path, issues);
  }
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
}

/** The content of a file. A file that cannot be read is found here, and not deep inside a client. */
function textOf(field: string, path: string, issues: Issue[]): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    issues.push({ field, reason: `${path} cannot be read: ${(error as Error).message}` });
    return "";
  }
}
