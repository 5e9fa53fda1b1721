import type { StateKind, StateRow, World } from "@waybill/messaging";
import {
  openFile,
  sqliteKeeping,
  sqliteStore,
  type EmbeddedFile,
  type FileLimits,
  type Health,
} from "@waybill/store-sqlite";
import { embeddedTransport } from "@waybill/transport-embedded";
import { partitions, valueIn, type Durable, type Engine } from "./engine.ts";

export interface EmbeddedOptions {
  readonly folder: string;
  readonly world: World;
  readonly readOnly?: boolean;
  readonly limits?: Partial<FileLimits>;
  readonly onHealth?: (health: Health) => void;
  /** How long each topic keeps its messages, in milliseconds, and how much of them, in bytes; undefined: all. */
  readonly retentionMs?: number | undefined;
  readonly retentionBytes?: number | undefined;
  /** What holds for some topics instead. */
  readonly topics?: Readonly<Record<string, Retention>> | undefined;
  /** In how many lanes a service works. Default 1. */
  readonly lanesOf?: (service: string) => number;
}

type Retention = Pick<EmbeddedOptions, "retentionMs" | "retentionBytes">;

/** One file in a folder: log and store in one, for one process. */
export async function embeddedEngine(options: EmbeddedOptions): Promise<Engine & { readonly file: EmbeddedFile }> {
  const { folder, retentionMs, retentionBytes, topics: special = {}, lanesOf = () => 1, ...rest } = options;
  const file = await openFile(folder, rest);
  const transport = embeddedTransport(file);
  const durable = embeddedTransport(file, { durable: true });
  return {
    name: "embedded",
    file,
    store: sqliteStore(file),
    transportOf: () => transport,
    durable: { transportOf: () => durable, ...durableStates(file) },
    spool: undefined,
    keeping: sqliteKeeping(file),
    mirrors: [],
    lanesOf,
    async declare(topics, reads) {
      for (const { name, bytesMax } of topics) {
        const spec = { name, partitions, bytesMax, retentionMs, retentionBytes, ...special[name] };
        if (file.log.topics.has(name)) await file.configure(spec);
        else await transport.declare(spec);
      }
      for (const [service, names] of reads) await file.subscribe(service, names);
    },
    health: () => file.health(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

type Row = Pick<StateRow, "id" | "schema" | "body">;

function durableStates(file: EmbeddedFile): Pick<Durable, "state" | "states"> {
  const { connection } = file;
  const one = "select schema, body from state where service = ? and kind = ? and id = ?";
  const page = "select id, schema, body from state where service = ? and kind = ? and id > ? order by id limit ?";
  return {
    async state<T>(service: string, kind: StateKind<T>, id: string) {
      const row = connection.get<Row>(one, service, kind.kind, id);
      return row === undefined ? undefined : valueIn(kind, row);
    },
    async states<T>(service: string, kind: StateKind<T>, after: string, limit: number) {
      const rows = connection.all<Row>(page, service, kind.kind, after, limit);
      return rows.map((row) => ({ id: row.id, value: valueIn(kind, row) }));
    },
  };
}
