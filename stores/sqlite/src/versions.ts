import type { Connection } from "./connection.ts";
import type { StateChange, Wave } from "./wave.ts";

/** How many versions of a service are remembered before the older half is forgotten. */
const rememberedMax = 20_000;

const versionSql = "select version from state where service = ? and kind = ? and id = ?";

/**
 * The version that each state is at, so that a batch which goes on from another one is refused at once. All writes go
 * through this process: what was loaded or written once stays true until it is written again.
 */
export class Versions {
  readonly #connection: Connection;
  readonly #waves: () => readonly Wave[];
  readonly #services = new Map<string, Remembered>();

  constructor(connection: Connection, waves: () => readonly Wave[]) {
    this.#connection = connection;
    this.#waves = waves;
  }

  /** The last write of a state that is not durable yet; undefined when only the file knows it. */
  pending(service: string, name: string): StateChange | undefined {
    for (const wave of this.#waves()) {
      const change = wave.states.get(service)?.get(name);
      if (change !== undefined) return change;
    }
    return undefined;
  }

  /** 0 when the state does not exist. */
  of(service: string, kind: string, id: string, name: string): number {
    const known = this.#services.get(service);
    return known?.recent.get(name) ?? known?.older.get(name) ?? this.#look(service, kind, id, name);
  }

  #look(service: string, kind: string, id: string, name: string): number {
    const write = this.pending(service, name)?.write;
    if (write !== undefined) return write.body === undefined ? 0 : write.version;
    return this.#connection.get<{ version: number }>(versionSql, service, kind, id)?.version ?? 0;
  }

  learn(service: string, name: string, version: number): void {
    let known = this.#services.get(service);
    if (known === undefined) this.#services.set(service, (known = { recent: new Map(), older: new Map() }));
    known.recent.set(name, version);
    if (known.recent.size < rememberedMax / 2) return;
    known.older = known.recent;
    known.recent = new Map();
  }

  forget(): void {
    this.#services.clear();
  }
}

/** Versions by the state's name. */
interface Remembered {
  recent: Map<string, number>;
  older: Map<string, number>;
}
