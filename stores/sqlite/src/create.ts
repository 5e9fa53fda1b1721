import { accessSync, constants, mkdirSync, statfsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { messageOf, WaybillError } from "@waybill/messaging";
import { isDamage } from "./connection.ts";
import { layout, layoutVersion } from "./tables.ts";

// Type numbers of statfs(2) on Linux: NFS, SMB, CIFS, SMB2. Their locks cannot be relied on.
const networkTypes: ReadonlySet<number> = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42]);

/** Makes the folder if need be. Throws STORE_UNAVAILABLE when nothing can be kept in it. */
export function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const text = `The folder ${folder} cannot be written: ${messageOf(error)}. Choose another one, or give this user the right to write there.`;
    throw new WaybillError("STORE_UNAVAILABLE", text, { details: { folder }, cause: error });
  }
  if (process.platform === "linux" && networkTypes.has(statfsSync(folder).type)) {
    const text = `The folder ${folder} is on a network file system, where a file cannot be locked for sure. Choose a local disk.`;
    throw new WaybillError("STORE_UNAVAILABLE", text, { details: { folder } });
  }
}

/** Makes the file if it is new, and looks whether this build may write it. */
export function prepareFile(path: string): void {
  whatIsWrong(path, () => {
    const db = new DatabaseSync(path, { timeout: 2_000 });
    try {
      const { user_version: version } = db.prepare("pragma user_version").get() as { user_version: number };
      if (version === 0) create(db);
      else refuseNewer(path, version);
    } finally {
      db.close();
    }
  });
}

/** Looks whether this build may read the file. */
export function checkFile(path: string): void {
  whatIsWrong(path, () => {
    accessSync(path, constants.R_OK);
    const db = new DatabaseSync(path, { readOnly: true, timeout: 2_000 });
    try {
      const { user_version: version } = db.prepare("pragma user_version").get() as { user_version: number };
      refuseNewer(path, version);
      if (version > 0) return;
      const text = `${path} is being made or was never finished. Start the server on this folder, then try again.`;
      throw new WaybillError("STORE_UNAVAILABLE", text, { details: { path } });
    } finally {
      db.close();
    }
  });
}

function create(db: DatabaseSync): void {
  // In this order: both take effect only before anything is written.
  db.exec(
    "pragma page_size = 8192; pragma auto_vacuum = incremental; pragma journal_mode = wal; pragma synchronous = full",
  );
  db.exec(`begin exclusive; ${layout}; pragma user_version = ${layoutVersion}; commit`);
}

function refuseNewer(path: string, version: number): void {
  if (version <= layoutVersion) return;
  const text = `${path} has layout ${version}; this build knows ${layoutVersion}. Start the build that wrote it, or a newer one.`;
  throw new WaybillError("LEVEL_TOO_LOW", text, { details: { path, version, known: layoutVersion } });
}

/** Runs a first look at a file and says what is wrong with it in words. */
export function whatIsWrong<T>(path: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof WaybillError) throw error;
    const why = isDamage(error)
      ? `is damaged or not a Waybill file (${messageOf(error)}). Restore it from a backup, or start with another folder`
      : `cannot be opened: ${messageOf(error)}`;
    throw new WaybillError("STORE_UNAVAILABLE", `${path} ${why}.`, { details: { path }, cause: error });
  }
}
