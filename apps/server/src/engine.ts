import {
  upcast,
  type Mirroring,
  type Position,
  type Spool,
  type StateKind,
  type StateRow,
  type Store,
  type Topic,
  type Transport,
} from "@waybill/messaging";
import type { EngineName } from "./config/schema.ts";

/** How many partitions every topic of a deployment has, for its life. */
export const partitions = 32;

/** What a shop runs on: a store, and the log that each topic lives in. */
export interface Engine extends AsyncDisposable {
  readonly name: EngineName;
  readonly store: Store;
  /** The log as lanes and doors see it. */
  transportOf(topic: string): Transport;
  /** What is safely stored, for everything that leaves the process. */
  readonly durable: Durable;
  /** Where messages for doors wait while their broker is away; undefined where they share the fate of the states. */
  readonly spool: Spool | undefined;
  readonly keeping: Keeping;
  /** Topics that are copied to another broker. */
  readonly mirrors: readonly Mirroring[];
  /** In how many lanes a service works here. */
  lanesOf(service: string): number;
  /** Creates the topics or compares them with what is there, and keeps for each service what it has not read. */
  declare(topics: readonly Topic[], reads: ReadonlyMap<string, readonly string[]>): Promise<void>;
  health(): Health;
}

/** What is kept of a service; each number is counted up to 10,000. */
export interface Kept {
  readonly states: number;
  readonly timers: number;
  /** Calls to the outside that are not answered. */
  readonly effects: number;
  /** Inputs that are set aside. */
  readonly parked: number;
  /** What no log has confirmed yet. */
  readonly outbox: number;
  /** Topics whose messages are kept for it, whatever their retention says, and how many. */
  readonly topics: readonly { readonly topic: string; readonly messages: number }[];
}

/** Services that something is kept of, whether they still are part of the shop or not. */
export interface Keeping {
  services(): Promise<readonly string[]>;
  of(service: string): Promise<Kept>;
  /** Deletes all that is kept of a service; what it said stays in the logs. Throws NOT_OWNER while some process runs it. */
  forget(service: string): Promise<void>;
}

/** Whether anything can be stored now. */
export interface Health {
  readonly ok: boolean;
  readonly error?: string | undefined;
  /** It will not become well by itself. */
  readonly fatal: boolean;
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

/** A stored state, lifted to what this build knows. Throws LEVEL_TOO_LOW when a newer build wrote it. */
export function valueIn<T>(kind: StateKind<T>, { schema, body }: Pick<StateRow, "schema" | "body">): T {
  return upcast(`State "${kind.kind}"`, kind, schema, JSON.parse(body)) as T;
}

/** Positions at the end of a topic: what is appended from now on is read. */
export async function endOf(transport: Transport, topic: string): Promise<Position[]> {
  const bounds = await transport.bounds(topic);
  return bounds.map(({ partition, logId, nextOffset }) => ({ topic, partition, logId, nextOffset }));
}
