import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Kind } from "../kinds.ts";
import { isAlive } from "../processes.ts";

/** A process that was started in the background. */
export interface Background {
  readonly pid: number;
  /** When it began, in words of the system: the number alone may be another program's by now. */
  readonly began: string;
  readonly stopSignal: NodeJS.Signals;
}

/** What was started of one kind. */
export interface Entry {
  readonly kind: Kind;
  readonly cluster: boolean;
  readonly url: string;
  /** Empty: docker compose runs it. */
  readonly servers: readonly Background[];
}

/** The entries of a folder, held by one process at a time. */
export interface State extends Disposable {
  readonly entries: readonly Entry[];
  /** In place of the one of that kind and size. */
  put(entry: Entry): void;
  remove(entry: Entry): void;
}

export function openState(folder: string): State {
  mkdirSync(folder, { recursive: true });
  const unlock = lock(join(folder, "lock"));
  let entries = readState(folder);
  const save = (changed: Entry[]) => {
    entries = changed;
    const path = join(folder, "state.json");
    writeFileSync(`${path}.new`, JSON.stringify({ entries }, undefined, 2));
    renameSync(`${path}.new`, path);
  };
  const others = (entry: Entry) => entries.filter((one) => one.kind !== entry.kind || one.cluster !== entry.cluster);
  return {
    get entries() {
      return entries;
    },
    put: (entry) => save([...others(entry), entry]),
    remove: (entry) => save(others(entry)),
    [Symbol.dispose]: unlock,
  };
}

export function readState(folder: string): Entry[] {
  try {
    return (JSON.parse(readFileSync(join(folder, "state.json"), "utf8")) as { entries: Entry[] }).entries;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Two at once would start two servers on the same data. A lock whose process is gone is taken over. */
function lock(path: string): () => void {
  for (let tries = 0; tries < 2; tries++) {
    try {
      const file = openSync(path, "wx");
      writeFileSync(file, String(process.pid));
      closeSync(file);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(readFileSync(path, "utf8"));
    if (holder > 0 && isAlive(holder))
      throw new Error(`Process ${holder} starts or stops servers of this folder; try again when it is done.`);
    rmSync(path, { force: true });
  }
  throw new Error(`${path} is held by another process; try again when it is done.`);
}
