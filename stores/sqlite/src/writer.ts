// The writer's thread: the only connection that writes. It gets a wave, writes it in one transaction, and says so.
import { statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { PackedWave } from "./pack.ts";
import { recordsText } from "./records.ts";
import { writes, type Cell, type Write, type WriteName } from "./tables.ts";

export interface WriterSettings {
  readonly path: string;
  /** How large the file may become, in pages; 0 for no bound. */
  readonly pagesMax: number;
  /** The write-ahead log is moved into the file when it has grown by so much, in bytes. */
  readonly checkpointBytes: number;
  /** Above this it is also cut off, for which readers are waited for. */
  readonly walBytesMax: number;
}

export type ToWriter =
  | { readonly kind: "wave"; readonly wave: PackedWave }
  | { readonly kind: "again" }
  | { readonly kind: "limit"; readonly pagesMax: number }
  | { readonly kind: "close" };

export type FromWriter =
  | { readonly kind: "done"; readonly rows: number; readonly ms: number }
  | { readonly kind: "failed"; readonly code: number; readonly text: string; readonly conflict: boolean };

/** Free pages that are kept for what comes next; what is above is given back in small steps. */
const freePagesKept = 8_192;
const freePagesStep = 512;

class Conflict extends Error {}

const settings = workerData as WriterSettings;
const port = parentPort!;
const db = new DatabaseSync(settings.path, { timeout: 2_000 });
db.exec("pragma journal_mode = wal");
db.exec("pragma synchronous = full");
if (process.platform === "darwin") db.exec("pragma fullfsync = on");
db.exec("pragma wal_autocheckpoint = 0; pragma cache_size = -8192; pragma temp_store = memory");
limit(settings.pagesMax);
const { page_size: pageSize } = db.prepare("pragma page_size").get() as { page_size: number };
const walPages = db.prepare("pragma wal_checkpoint(noop)");
const freePages = db.prepare("pragma freelist_count");

const statements = new Map<WriteName, StatementSync>();
let wave: PackedWave | undefined;
let asserted = false;
/** How long the write-ahead log was when it was last moved into the file, in pages. */
let checkpointedPages = 0;

function limit(pagesMax: number): void {
  db.exec(`pragma max_page_count = ${pagesMax > 0 ? pagesMax : 4_294_967_294}`);
}

function statement(name: WriteName): StatementSync {
  let prepared = statements.get(name);
  if (prepared === undefined) statements.set(name, (prepared = db.prepare(writes[name].sql)));
  return prepared;
}

function writeRows(name: WriteName, cells: readonly Cell[]): number {
  const { width, one }: Write = writes[name];
  const prepared = statement(name);
  for (let at = 0; at < cells.length; at += width) {
    const { changes } = prepared.run(...cells.slice(at, at + width));
    if (one === true && changes !== 1) throw new Conflict("a state has another version than expected");
  }
  return cells.length / width;
}

function writeAll(packed: PackedWave): number {
  let rows = 0;
  for (const { write, cells } of packed.writes) rows += writeRows(write, cells);
  const chunk = statement("chunkAdd");
  for (const { off, count, atMin, atMax, bytes, cells } of packed.chunks) {
    chunk.run(off, count, atMin, atMax, bytes, recordsText(cells));
  }
  return rows + packed.chunks.length;
}

function transaction(packed: PackedWave): number {
  db.exec("begin immediate");
  try {
    const rows = writeAll(packed);
    db.exec("commit");
    return rows;
  } catch (error) {
    if (db.isTransaction) db.exec("rollback");
    throw error;
  }
}

/** What the settings promise must also be so: a wave counts only when it is on the disk. */
function assertDurable(): void {
  const { synchronous } = db.prepare("pragma synchronous").get() as { synchronous: number };
  const { journal_mode: mode } = db.prepare("pragma journal_mode").get() as { journal_mode: string };
  if (synchronous < 2 || mode !== "wal")
    throw new Error(`the file is written with synchronous ${synchronous}, journal ${mode}`);
  asserted = true;
}

function run(): void {
  const startedMs = performance.now();
  try {
    const rows = transaction(wave!);
    if (!asserted) assertDurable();
    wave = undefined;
    say({ kind: "done", rows, ms: performance.now() - startedMs });
  } catch (error) {
    say(failure(error));
    return;
  }
  tidy();
}

/** What may go wrong here is tried again after the next wave; it costs room, never data. */
function tidy(): void {
  try {
    checkpoint();
    vacuum();
  } catch {
    // Checkpoints and vacuums that fail leave everything as it was.
  }
}

function checkpoint(): void {
  const { log } = walPages.get() as { log: number };
  // The log begins anew once all of it has been moved and nobody reads in it.
  if (log < checkpointedPages) checkpointedPages = 0;
  if ((log - checkpointedPages) * pageSize < settings.checkpointBytes) return;
  checkpointedPages = log;
  db.prepare("pragma wal_checkpoint(passive)").get();
  if (statSync(`${settings.path}-wal`).size > settings.walBytesMax) truncate();
}

/** Cuts the log off. Somebody who reads in it for long is not waited for: the next time will do. */
function truncate(): void {
  const { timeout } = db.prepare("pragma busy_timeout").get() as { timeout: number };
  db.exec("pragma busy_timeout = 0");
  try {
    db.prepare("pragma wal_checkpoint(truncate)").get();
  } finally {
    db.exec(`pragma busy_timeout = ${timeout}`);
  }
}

function vacuum(): void {
  const { freelist_count: free } = freePages.get() as { freelist_count: number };
  if (free > freePagesKept + freePagesStep) db.exec(`pragma incremental_vacuum(${freePagesStep})`);
}

function failure(error: unknown): FromWriter {
  const { errcode = 1, message } = error as { errcode?: number; message: string };
  // The low byte is the primary code, the rest says more about it.
  return { kind: "failed", code: errcode & 0xff, text: message, conflict: error instanceof Conflict };
}

function say(message: FromWriter): void {
  port.postMessage(message);
}

function close(): void {
  tidy();
  db.close();
  port.close();
}

port.on("message", (message: ToWriter) => {
  if (message.kind === "wave") {
    wave = message.wave;
    run();
  } else if (message.kind === "again") run();
  else if (message.kind === "limit") limit(message.pagesMax);
  else close();
});
