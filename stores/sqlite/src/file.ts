import { join } from "node:path";
import { WaybillError, type TopicSpec, type World } from "@waybill/messaging";
import { Committer, type FileStats, type WaveLimits } from "./committer.ts";
import { Connection } from "./connection.ts";
import { checkFile, prepareFile, prepareFolder, whatIsWrong } from "./create.ts";
import { FileLog } from "./file-log.ts";
import { Lanes } from "./lanes.ts";
import { closedError, lifetime } from "./lifetime.ts";
import { lockFolder } from "./lock.ts";
import { Retention } from "./retention.ts";
import { configure, subscribe } from "./topic-jobs.ts";
import { Versions } from "./versions.ts";
import type { Wave } from "./wave.ts";
import { WriterPort, type Health } from "./writer-port.ts";

/** The bounds of a file. */
export interface FileLimits extends WaveLimits {
  /** How much of the logs' ends is held in memory for readers that keep up, in about bytes. Default 2 MiB. */
  readonly tailBytesMax: number;
  /** The file refuses to grow above this, as a full disk does; 0 for no bound. Default 0. */
  readonly fileBytesMax: number;
  /** The write-ahead log is moved into the file when it has grown by this. Default 32 MiB. */
  readonly checkpointBytes: number;
  /** Above this the write-ahead log is cut off, for which readers are waited for. Default 64 MiB. */
  readonly walBytesMax: number;
}

/** How a file is opened. */
export interface OpenFile {
  readonly world: World;
  /** The wall clock in milliseconds. Default Date.now. */
  readonly now?: () => number;
  /** Only reads, beside the process that serves the folder. */
  readonly readOnly?: boolean;
  readonly limits?: Partial<FileLimits>;
  /** Called when the file stops or begins again to take what is written. */
  readonly onHealth?: (health: Health) => void;
}

/** The embedded engine's file, open: what `sqliteStore` and the embedded transport are made from. */
export interface EmbeddedFile extends AsyncDisposable {
  readonly folder: string;
  readonly readOnly: boolean;
  readonly world: World;
  readonly log: FileLog;
  readonly lanes: Lanes;
  readonly versions: Versions;
  /** What was applied and is not durable yet, the newest first. */
  readonly waves: () => readonly Wave[];
  readonly connection: Connection;
  /** Throws CLOSED once the file is closed, and STORE_UNAVAILABLE when it is open for reading only. */
  writer(): Committer;
  /** Throws CLOSED once the file is closed; takes in what others wrote, if it is open for reading only. */
  look(): void;
  /** The wall clock in whole milliseconds; never goes back. */
  nowMs(): number;
  health(): Health;
  stats(): FileStats;
  /**
   * Says that a service reads these topics: from now on nothing is deleted that it has not read, though it may not run
   * yet. It then starts at the first offset that is kept now.
   */
  subscribe(service: string, topics: readonly string[]): Promise<void>;
  /** Changes a topic's settings; what is stored stays. Throws TOPIC_MISMATCH when its number of partitions differs. */
  configure(topic: TopicSpec): Promise<void>;
  /** Changes how large the file may become, in bytes; 0 for no bound. */
  limit(fileBytesMax: number): void;
  /** Calls back when the file is closed. */
  onClose(listener: () => void): void;
  /** Writes what was applied, moves the write-ahead log into the file, and gives the folder free. */
  close(): Promise<void>;
}

/** What the file is called in its folder. */
export const fileName = "waybill.db";
const pageBytes = 8_192;

const defaults: FileLimits = {
  inputsPerWave: 4_096,
  bytesPerWave: 8 * 1024 * 1024,
  waveMsMax: 20,
  tailBytesMax: 2 * 1024 * 1024,
  fileBytesMax: 0,
  checkpointBytes: 32 * 1024 * 1024,
  walBytesMax: 64 * 1024 * 1024,
};

/**
 * Opens the file of a folder, makes both if they are new, and takes the folder for this process.
 * Throws STORE_UNAVAILABLE when the folder is in use, cannot be written, or holds a damaged file, and LEVEL_TOO_LOW when a
 * newer build wrote it; the text says which, and what to do.
 */
export async function openFile(folder: string, options: OpenFile): Promise<EmbeddedFile> {
  const path = join(folder, fileName);
  if (options.readOnly === true) {
    checkFile(path);
    return readingFile(folder, path, options);
  }
  prepareFolder(folder);
  const unlock = lockFolder(folder);
  try {
    prepareFile(path);
    return writingFile(folder, path, options, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function writingFile(folder: string, path: string, options: OpenFile, unlock: () => void): EmbeddedFile {
  const { world, onHealth = () => {} } = options;
  const limits = { ...defaults, ...options.limits };
  const shared = whatIsWrong(path, () => sharedParts(path, limits, options));
  const { connection, log, lanes, nowMs } = shared;
  const writer = new WriterPort(
    {
      path,
      pagesMax: pagesOf(limits.fileBytesMax),
      checkpointBytes: limits.checkpointBytes,
      walBytesMax: limits.walBytesMax,
    },
    world,
    (health) => {
      tell(world, folder, health);
      onHealth(health);
    },
  );
  const committer = new Committer({ world, limits, log, writer });
  connection.onDamaged = (text) => {
    writer.condemn(text);
    committer.fail(writer.broken());
  };
  const waves = (): readonly Wave[] => committer.waves;
  const versions = new Versions(connection, waves);
  committer.onRetracted = () => {
    lanes.retract();
    versions.forget();
  };
  const retention = new Retention({ connection, log, world, nowMs });
  committer.beforeWave = () => retention.due();
  const state = lifetime();
  const tick = setInterval(() => idleRetention(committer, retention), 5_000);
  tick.unref();

  async function close(): Promise<void> {
    if (!state.close()) return;
    clearInterval(tick);
    if (writer.health.ok) await committer.drained();
    committer.fail(closedError());
    // The last connection to close moves the write-ahead log into the file, and only one that writes can.
    connection.close();
    await writer.close();
    unlock();
  }

  return {
    ...shared,
    waves,
    versions,
    folder,
    readOnly: false,
    writer() {
      state.check();
      return committer;
    },
    look: state.check,
    health: () => writer.health,
    stats: () => committer.stats,
    limit: (bytes) => writer.limit(pagesOf(bytes)),
    subscribe: (service, topics) => subscribe(committer, log, service, topics),
    configure: (topic) => configure(committer, log, topic),
    onClose: state.onClose,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function readingFile(folder: string, path: string, options: OpenFile): EmbeddedFile {
  const shared = whatIsWrong(path, () => sharedParts(path, { ...defaults, ...options.limits }, options));
  const state = lifetime();
  const refuse = (): never => {
    throw new WaybillError("STORE_UNAVAILABLE", `${path} is open for reading only.`, { details: { folder } });
  };
  async function close(): Promise<void> {
    if (state.close()) shared.connection.close();
  }
  return {
    ...shared,
    waves: () => [],
    versions: new Versions(shared.connection, () => []),
    folder,
    readOnly: true,
    writer: refuse,
    look() {
      state.check();
      shared.log.refresh();
      shared.lanes.refresh();
    },
    health: () => ({ ok: true, fatal: false, sinceMs: 0 }),
    stats: () => ({ waves: 0, rows: 0, inputs: 0, bytes: 0, lastWaveMs: 0, waveMs: 0 }),
    limit: refuse,
    subscribe: async () => refuse(),
    configure: async () => refuse(),
    onClose: state.onClose,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function sharedParts(path: string, limits: FileLimits, { world, now = Date.now }: OpenFile) {
  const connection = new Connection(path);
  try {
    const log = new FileLog(connection, limits.tailBytesMax);
    let lastMs = 0;
    const nowMs = (): number => (lastMs = Math.max(lastMs, Math.floor(now())));
    return { world, connection, log, lanes: new Lanes(connection), nowMs };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Deletions that are due while nothing else is written. */
function idleRetention(committer: Committer, retention: Retention): void {
  if (!committer.open.empty || committer.flight !== undefined) return;
  const job = retention.due();
  if (job !== undefined) committer.submit(job);
}

function pagesOf(bytes: number): number {
  return Math.floor(bytes / pageBytes);
}

function tell(world: World, folder: string, health: Health): void {
  if (health.ok) world.log("info", "The file takes what is written again.", { folder });
  else if (health.fatal) world.log("error", "The file can no longer be written.", { folder, error: health.error });
  else
    world.log("warn", "The file does not take what is written; it is kept in memory and tried again.", {
      folder,
      error: health.error,
    });
}
