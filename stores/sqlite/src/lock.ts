import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf, WaybillError } from "@waybill/messaging";
import { sqliteCode } from "./connection.ts";

/** Who serves a folder. */
export interface ServerInfo {
  readonly pid: number;
  readonly startedAt: string;
  /** Where its HTTP interface listens, once it does. */
  readonly url?: string | undefined;
}

const infoFile = "server.json";

/** Tells other processes who serves the folder; called by the process that holds it. */
export function writeServerInfo(folder: string, info: ServerInfo): void {
  const path = join(folder, infoFile);
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(info)}\n`);
  renameSync(draft, path);
}

/** Who serves the folder, or served it last; undefined when nobody ever did or what it left cannot be read. */
export function readServerInfo(folder: string): ServerInfo | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, infoFile), "utf8")) as ServerInfo;
  } catch {
    return undefined;
  }
}

/**
 * Takes the folder for this process until the returned function is called. The operating system drops the lock when the
 * process dies, however it dies. Throws STORE_UNAVAILABLE, naming the other process, when somebody else has it.
 */
export function lockFolder(folder: string): () => void {
  const db = new DatabaseSync(join(folder, "lock.db"), { timeout: 0 });
  try {
    db.exec("pragma journal_mode = delete; begin exclusive");
  } catch (error) {
    db.close();
    throw inUse(folder, error);
  }
  writeServerInfo(folder, { pid: process.pid, startedAt: new Date().toISOString() });
  return () => {
    rmSync(join(folder, infoFile), { force: true });
    db.close();
  };
}

function inUse(folder: string, error: unknown): WaybillError {
  if (sqliteCode(error) !== 5) {
    return new WaybillError("STORE_UNAVAILABLE", `The folder ${folder} cannot be locked: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  const info = readServerInfo(folder);
  const who = info === undefined ? "another process" : `process ${info.pid}, since ${info.startedAt}`;
  const at = info?.url === undefined ? "" : ` at ${info.url}`;
  const text = `The folder ${folder} is in use by ${who}${at}. Stop it first, or choose another folder.`;
  return new WaybillError("STORE_UNAVAILABLE", text, { details: { folder, ...info }, cause: error });
}
