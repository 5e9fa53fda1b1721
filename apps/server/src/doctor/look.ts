import { existsSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { codeOf, messageOf } from "@waybill/messaging";
import { openNats, openKafka } from "../brokers-engine.ts";
import type { KafkaConnection, NatsConnection, PostgresConnection } from "../config/connections.ts";
import type { Config } from "../config/effective.ts";
import { realWorld } from "@waybill/node";
import type { FileFindings, Findings, KafkaFindings, Missed, NatsFindings, Seen } from "./findings.ts";
import { askMonitors } from "./monitors.ts";

export interface LookOptions {
  /** Addresses of the monitoring of NATS servers, such as http://127.0.0.1:8222. */
  readonly natsMonitors?: readonly string[];
}

/** Reads the settings of everything that a deployment stands on. Changes nothing, and throws nothing of what it meets. */
export async function look(config: Config, { natsMonitors = [] }: LookOptions = {}): Promise<Findings> {
  const { engine, postgres, nats, kafka, data } = config;
  const [inPostgres, onNats, onKafka, inFile] = await Promise.all([
    postgres && seen(() => lookAtPostgres(postgres)),
    nats && seen(() => lookAtNats(nats, topicsOn("nats", config), natsMonitors)),
    kafka && seen(() => lookAtKafka(kafka, topicsOn("kafka", config))),
    engine === "embedded" ? lookForFile(data) : undefined,
  ]);
  return { postgres: inPostgres, nats: onNats, kafka: onKafka, file: inFile };
}

async function seen<T>(find: () => Promise<T>): Promise<Seen<T>> {
  try {
    return { found: await find() };
  } catch (error) {
    return { missed: missedBy(error) };
  }
}

const kinds: Readonly<Record<string, Missed["kind"]>> = {
  TOPIC_UNKNOWN: "absent",
  TOPIC_MISMATCH: "refused",
  CONTRACT_INVALID: "refused",
  LEVEL_TOO_LOW: "refused",
};

function missedBy(error: unknown): Missed {
  const kind = kinds[codeOf(error) ?? ""] ?? "unreachable";
  const text = kind === "absent" ? "It is not made yet; `waybill start` makes it as it is declared." : messageOf(error);
  return { kind, text };
}

/** The topics that live on a broker, or have a copy there. */
function topicsOn(broker: "nats" | "kafka", { topics, mirrors }: Config): readonly string[] {
  const own = Object.keys(topics).filter((name) => topics[name]!.broker === broker);
  return [...own, ...mirrors.filter(({ to }) => to === broker).map(({ topic }) => topic)];
}

async function lookAtPostgres({ url, schema, password }: PostgresConnection) {
  const { inspect } = await import("@waybill/store-postgres");
  return inspect({ url, schema, ...(password === undefined ? {} : { password }) });
}

async function lookAtNats(
  connection: NatsConnection,
  topics: readonly string[],
  monitors: readonly string[],
): Promise<NatsFindings> {
  await using transport = await openNats(connection);
  const { server } = await transport.inspect([]);
  const streams = await each(topics, async (topic) => (await transport.inspect([topic])).streams[0]!);
  return { server, streams, ...(await askMonitors(monitors)) };
}

async function lookAtKafka(connection: KafkaConnection, topics: readonly string[]): Promise<KafkaFindings> {
  await using transport = await openKafka(connection);
  const found = await each(topics, async (topic) => (await transport.inspect([topic])).topics[0]!);
  const { version, brokers } = await transport.inspect([]);
  return { version, brokers, topics: found };
}

async function each<T>(
  names: readonly string[],
  find: (name: string) => Promise<T>,
): Promise<ReadonlyMap<string, Seen<T>>> {
  return new Map(await Promise.all(names.map(async (name) => [name, await seen(() => find(name))] as const)));
}

async function lookForFile(folder: string): Promise<Seen<FileFindings>> {
  const { fileName } = await import("@waybill/store-sqlite");
  const path = join(folder, fileName);
  if (existsSync(path)) return seen(() => lookAtFile(folder, path));
  return { missed: { kind: "absent", text: `There is no ${path} yet; \`waybill start\` makes it.` } };
}

async function lookAtFile(folder: string, path: string): Promise<FileFindings> {
  const { openFile } = await import("@waybill/store-sqlite");
  await using file = await openFile(folder, { world: realWorld(() => {}), readOnly: true });
  const { connection, log } = file;
  const { journal, sqlite } = connection.get<{ journal: string; sqlite: string }>(
    "select journal_mode as journal, sqlite_version() as sqlite from pragma_journal_mode",
  )!;
  const { bavail, bsize } = statfsSync(folder);
  return {
    path,
    sqlite,
    journal,
    // Each connection has its own; the one that writes sets it, and asserts it after its first write.
    synchronous: "full",
    bytes: statSync(path).size,
    roomBytes: bavail * bsize,
    topics: new Map(Array.from(log.topics, ([name, { spec }]) => [name, spec])),
  };
}
