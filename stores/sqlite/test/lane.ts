import {
  bareBatch,
  type Batch,
  type Commit,
  type Envelope,
  type LaneId,
  type OutgoingMessage,
  type StateWrite,
  type Store,
} from "@waybill/messaging";
import { AppendJob, change, openFile, sqliteStore, type EmbeddedFile, type FileLimits } from "@waybill/store-sqlite";
import { newFolder, world } from "./folder.ts";

/** A file in a folder of its own, and a store on it. */
export interface Opened extends AsyncDisposable {
  readonly folder: string;
  readonly file: EmbeddedFile;
  readonly store: Store;
}

export async function opened(limits: Partial<FileLimits> = {}, now: () => number = Date.now): Promise<Opened> {
  const folder = newFolder();
  const file = await openFile(folder.path, { world, limits, now });
  return {
    folder: folder.path,
    file,
    store: sqliteStore(file),
    async [Symbol.asyncDispose]() {
      await file.close();
      folder[Symbol.dispose]();
    },
  };
}

export interface TestLane {
  readonly id: LaneId;
  /** The next batch with these changes. */
  batch(change?: Partial<Batch>): Batch;
  commit(change?: Partial<Batch>): Commit;
  /** Reads the row again, as an owner does after a refusal. */
  again(): Promise<void>;
}

/** A service with one lane, claimed. */
export async function lane(store: Store, service = "orders"): Promise<TestLane> {
  const id = { service, lane: 0, lanes: 1 };
  await store.declare(service, 1, () => `source-of-${service}`);
  await store.join({ id: service, host: "here", services: [service], level: 1 }, 3_600_000);
  let row = (await store.claim(id, service, 1, (await store.lane(id)).epoch))!;
  let next = row.batch;
  const batch = (changes: Partial<Batch> = {}): Batch =>
    bareBatch(id, { epoch: row.epoch, batch: next, timeMs: 0, level: 1, inputs: 1, ...changes });
  return {
    id,
    batch,
    commit(changes) {
      const commit = store.commit(batch(changes));
      next += 1;
      return commit;
    },
    async again() {
      row = await store.lane(id);
      next = row.batch;
    },
  };
}

export function state(id: string, version = 1, body = `{"v":${version}}`): StateWrite {
  return { kind: "order", id, home: 0, version, schema: 1, body };
}

export function envelope(id: string, body = "{}", atMs = 1_800_000_000_000): Envelope {
  return { id, type: "order.placed", schema: 1, subject: id, key: id, producer: "shop", atMs, correlation: id, body };
}

export function outgoing(id: string, topic: string, partition = 0, n = 1): OutgoingMessage {
  return { ...envelope(id), topic, partition, stamp: { source: "source", n, prev: n - 1 } };
}

/** A topic, without a transport. */
export async function topic(
  file: EmbeddedFile,
  name: string,
  settings: { retentionMs?: number; retentionBytes?: number; partitions?: number } = {},
): Promise<void> {
  const spec = { name, partitions: 1, bytesMax: 1_000_000, ...settings };
  await change(
    file.writer(),
    () => file.log.add(spec, `log-of-${name}`),
    (wave, log) => wave.topics.add(log),
  );
}

/** Appends as a door does. Rejects with what the result says. */
export async function append(file: EmbeddedFile, name: string, ids: readonly string[], body?: string, atMs?: number) {
  const messages = ids.map((id) => envelope(id, body, atMs));
  const job = new AppendJob({ topic: name, partition: 0, messages }, file.log.topic(name), file.log);
  file.writer().submit(job);
  const result = await job.result.promise;
  if (!result.ok) throw result.error;
  return result;
}

/** The ids of all messages of a topic that can be read. */
export function idsOf(file: EmbeddedFile, name: string): string[] {
  const log = file.log.topic(name);
  const ids: string[] = [];
  for (let offset = log.firstOffset; offset < log.nextOffset;) {
    const page = file.log.page(log, offset);
    if (page === undefined) break;
    ids.push(...page.messages.filter((one) => one.offset >= offset).map((one) => one.id));
    offset = page.first + page.messages.length;
  }
  return ids;
}

/** Waits, turn by turn, until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn > 100_000) throw new Error(`It never came to hold: ${String(holds)}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** The code of the error that a promise rejects with; "none" when it resolves. */
export async function codeOfFailure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "none",
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
}
