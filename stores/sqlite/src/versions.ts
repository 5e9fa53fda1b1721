import type { StateKey } from "@waybill/messaging";
import { ByState } from "./by-state.ts";
import type { Connection } from "./connection.ts";
import type { StateChange, Wave } from "./wave.ts";

/** How many versions are remembered before the older half is forgotten. */
const rememberedMax = 20_000;

const versionSql = "select version from state where service = ? and kind = ? and id = ?";

/**
 * The version that each state is at, so that a batch which goes on from another one is refused at once. All writes go
 * through this process: what was loaded or written once stays true until it is written again.
 */
export class Versions {
  readonly #connection: Connection;
  readonly #waves: () => readonly Wave[];
  #recent = new ByState<number>();
  #older = new ByState<number>();

  constructor(connection: Connection, waves: () => readonly Wave[]) {
    this.#connection = connection;
    this.#waves = waves;
  }

  /** The last write of a state that is not durable yet; undefined when only the file knows it. */
  pending(service: string, key: StateKey): StateChange | undefined {
    for (const wave of this.#waves()) {
      const change = wave.states.get(service, key);
      if (change !== undefined) return change;
    }
    return undefined;
  }

  /** 0 when the state does not exist. */
  of(service: string, key: StateKey): number {
    return this.#recent.get(service, key) ?? this.#older.get(service, key) ?? this.#look(service, key);
  }

  #look(service: string, key: StateKey): number {
    const write = this.pending(service, key)?.write;
    if (write !== undefined) return write.body === undefined ? 0 : write.version;
    return this.#connection.get<{ version: number }>(versionSql, service, key.kind, key.id)?.version ?? 0;
  }

  learn(service: string, key: StateKey, version: number): void {
    this.#recent.set(service, key, version);
    if (this.#recent.size < rememberedMax / 2) return;
    this.#older = this.#recent;
    this.#recent = new ByState();
  }

  forget(): void {
    this.#recent = new ByState();
    this.#older = new ByState();
  }
}
