import type { Position, StateKind, Store, Topic, Transport, World } from "@waybill/messaging";
import { embeddedTransport } from "@waybill/transport-embedded";
import { openFile, sqliteStore, type EmbeddedFile, type FileLimits, type Health } from "@waybill/store-sqlite";

/** How many partitions every topic of a deployment has, for its life. */
export const partitions = 32;

/** What a shop runs on: a store, and the log that each topic lives in. */
export interface Engine extends AsyncDisposable {
  readonly name: string;
  readonly store: Store;
  /** The log as lanes and doors see it. */
  transportOf(topic: string): Transport;
  /** What is safely stored, for everything that leaves the process. */
  readonly durable: Durable;
  /** Creates the topics, and keeps for each service what it has not read. */
  declare(topics: readonly Topic[], reads: ReadonlyMap<string, readonly string[]>): Promise<void>;
  health(): Health;
}

export interface Durable {
  transportOf(topic: string): Transport;
  /** The value of a state as it is stored; undefined when there is none. */
  state<T>(service: string, kind: StateKind<T>, id: string): Promise<T | undefined>;
  /** A page of the states of a kind, in order of their ids, after `after`. */
  states<T>(service: string, kind: StateKind<T>, after: string, limit: number): Promise<readonly Stored<T>[]>;
}

/** A state as it is stored. */
export interface Stored<T> {
  readonly id: string;
  readonly value: T;
}

export interface EmbeddedOptions {
  readonly folder: string;
  readonly world: World;
  readonly readOnly?: boolean;
  readonly limits?: Partial<FileLimits>;
  readonly onHealth?: (health: Health) => void;
  /** How long each topic keeps its messages, in milliseconds, and how much of them, in bytes; undefined: all. */
  readonly retentionMs?: number | undefined;
  readonly retentionBytes?: number | undefined;
}

/** One file in a folder: log and store in one, for one process. */
export async function embeddedEngine(options: EmbeddedOptions): Promise<Engine & { readonly file: EmbeddedFile }> {
  const { folder, retentionMs, retentionBytes, ...rest } = options;
  const file = await openFile(folder, rest);
  const transport = embeddedTransport(file);
  const durable = embeddedTransport(file, { durable: true });
  return {
    name: "embedded",
    file,
    store: sqliteStore(file),
    transportOf: () => transport,
    durable: { transportOf: () => durable, ...durableStates(file) },
    async declare(topics, reads) {
      for (const { name, bytesMax } of topics) {
        const spec = { name, partitions, bytesMax, retentionMs, retentionBytes };
        if (file.log.topics.has(name)) await file.configure(spec);
        else await transport.declare(spec);
      }
      for (const [service, names] of reads) await file.subscribe(service, names);
    },
    health: () => file.health(),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

function durableStates(file: EmbeddedFile): Pick<Durable, "state" | "states"> {
  const { connection } = file;
  const one = "select body from state where service = ? and kind = ? and id = ?";
  const page = "select id, body from state where service = ? and kind = ? and id > ? order by id limit ?";
  return {
    async state<T>(service: string, kind: StateKind<T>, id: string) {
      const row = connection.get<{ body: string }>(one, service, kind.kind, id);
      return row === undefined ? undefined : (JSON.parse(row.body) as T);
    },
    async states<T>(service: string, kind: StateKind<T>, after: string, limit: number) {
      const rows = connection.all<{ id: string; body: string }>(page, service, kind.kind, after, limit);
      return rows.map(({ id, body }) => ({ id, value: JSON.parse(body) as T }));
    },
  };
}

/** Positions at the end of a topic: what is appended from now on is read. */
export async function endOf(transport: Transport, topic: string): Promise<Position[]> {
  const bounds = await transport.bounds(topic);
  return bounds.map(({ partition, logId, nextOffset }) => ({ topic, partition, logId, nextOffset }));
}
