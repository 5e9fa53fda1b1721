import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { quantile } from "./drive.ts";

/** How long it takes to write so many commits of so many bytes straight into SQLite, each with its fsync; in seconds. */
export function rawCommits(base: string, commits: number, bytes: number): number {
  const folder = mkdtempSync(join(base, "raw-"));
  try {
    const db = new DatabaseSync(join(folder, "raw.db"));
    db.exec("pragma page_size = 8192; pragma journal_mode = wal; pragma synchronous = full");
    db.exec("create table chunk (id integer primary key, body blob not null)");
    const insert = db.prepare("insert into chunk (body) values (?)");
    const body = Buffer.alloc(Math.max(1, Math.round(bytes / Math.max(1, commits))), "x");
    const beganMs = performance.now();
    for (let at = 0; at < commits; at++) {
      db.exec("begin immediate");
      insert.run(body);
      db.exec("commit");
    }
    const seconds = (performance.now() - beganMs) / 1_000;
    db.close();
    return seconds;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The disk's own fsync of one page, in milliseconds. */
export function fsyncMs(base: string, times = 200): { readonly p50: number; readonly p99: number } {
  const folder = mkdtempSync(join(base, "fsync-"));
  const file = openSync(join(folder, "page"), "w");
  const page = Buffer.alloc(8_192);
  const took: number[] = [];
  for (let at = 0; at < times; at++) {
    const beganMs = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    took.push(performance.now() - beganMs);
  }
  closeSync(file);
  rmSync(folder, { recursive: true, force: true });
  took.sort((a, b) => a - b);
  return { p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
}
