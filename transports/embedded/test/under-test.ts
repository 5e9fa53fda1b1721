import { DatabaseSync } from "node:sqlite";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TransportUnderTest } from "@waybill/conformance";
import type { Transport, World } from "@waybill/messaging";
import { change, fileName, openFile, type EmbeddedFile, type TopicLog } from "@waybill/store-sqlite";
import { embeddedTransport } from "@waybill/transport-embedded";

// Each file starts a thread, and a thread begins by compiling its source: once is enough.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "../../../node_modules/.cache/compile");

/** The real clock; waits are real as well. */
export const world: World = {
  monotonicMs: () => performance.now(),
  newId: () => crypto.randomUUID(),
  random: () => 0.5,
  turn: async () => {},
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    }),
  log: () => {},
};

// Where there is a disk in memory, what these tests try does not depend on a real one.
const root = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A new folder, removed with everything in it when it is disposed of. */
export function newFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(root, "waybill-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

const topicSpan = 2 ** 44;

/** A transport over a folder of its own, and what a test may do to its file behind its back. */
export async function underTest(): Promise<TransportUnderTest> {
  const temporary = newFolder();
  const folder = temporary.path;
  let file = await openFile(folder, { world });
  let inner = embeddedTransport(file);

  async function alterTopic(topic: string, alter: (log: TopicLog) => void): Promise<void> {
    const log = file.log.topic(topic);
    await change(
      file.writer(),
      () => {
        alter(log);
        return log;
      },
      (wave) => wave.topics.add(log),
    );
  }

  /** Opens the file anew after `alter` has changed it. */
  async function operate(alter: (db: DatabaseSync, topicId: number) => void, topic: string): Promise<void> {
    const { id } = file.log.topic(topic);
    await file.close();
    const db = new DatabaseSync(join(folder, fileName));
    alter(db, id);
    db.close();
    file = await openFile(folder, { world });
    inner = embeddedTransport(file);
  }

  return {
    transport: delegating(() => inner),
    async reopen() {
      await inner[Symbol.asyncDispose]();
      await file.close();
      file = await openFile(folder, { world });
      inner = embeddedTransport(file);
      return inner;
    },
    recreate: (topic) => recreate(file, topic),
    dropBefore: (topic, _partition, offset) =>
      alterTopic(topic, (log) => {
        log.firstOffset = offset;
      }),
    loseTail: (topic, partition, count) => operate((db, id) => loseTail(db, id, partition, count), topic),
    leaveHole: (topic) =>
      alterTopic(topic, (log) => {
        log.nextOffset += 1;
      }),
    appendUnreadable: (topic, partition, body) => operate((db, id) => appendUnreadable(db, id, partition, body), topic),
    pass: (ms) => world.sleep(ms),
    async [Symbol.asyncDispose]() {
      await file.close();
      temporary[Symbol.dispose]();
    },
  };
}

function delegating(to: () => Transport): Transport {
  return {
    name: "embedded",
    declare: (topic) => to().declare(topic),
    append: (batches, signal) => to().append(batches, signal),
    reader: (from) => to().reader(from),
    read: (topic, partition, offset) => to().read(topic, partition, offset),
    bounds: (topic, atMs) => to().bounds(topic, atMs),
    report: (service, positions) => to().report(service, positions),
    [Symbol.asyncDispose]: () => to()[Symbol.asyncDispose](),
  };
}

async function recreate(file: EmbeddedFile, topic: string): Promise<void> {
  const { spec } = file.log.topic(topic);
  await change(
    file.writer(),
    () => file.log.add(spec, world.newId()),
    (wave, log) => wave.topics.add(log),
  );
}

/** Cuts the last records off the topic's last chunks; all of them are of one partition. */
function loseTail(db: DatabaseSync, topicId: number, partition: number, count: number): void {
  const base = topicId * topicSpan;
  const chunks = db
    .prepare("select off, records from chunk where off >= ? and off < ? order by off desc")
    .all(base, base + topicSpan) as { off: number; records: string }[];
  let left = count;
  for (const { off, records } of chunks) {
    const all = JSON.parse(records) as unknown[];
    const kept = all.slice(0, Math.max(all.length - left, 0));
    left -= all.length - kept.length;
    const text = JSON.stringify(kept);
    if (kept.length === 0) db.prepare("delete from chunk where off = ?").run(off);
    else db.prepare("update chunk set count = ?, records = ? where off = ?").run(kept.length, text, off);
    if (left === 0) {
      const next = off - base + kept.length;
      db.prepare(`update topic set next_off = ?, ends = json_set(ends, '$[${partition}]', ?) where id = ?`).run(
        next,
        next,
        topicId,
      );
      return;
    }
  }
}

function appendUnreadable(db: DatabaseSync, topicId: number, partition: number, body: Uint8Array): void {
  const { next } = db.prepare("select next_off as next from topic where id = ?").get(topicId) as { next: number };
  const records = JSON.stringify([[partition, [Buffer.from(body).toString("base64")]]]);
  db.prepare("insert into chunk values (?, 1, 0, 0, ?, ?)").run(topicId * topicSpan + next, body.length, records);
  const ends = `json_set(ends, '$[${partition}]', next_off + 1)`;
  db.prepare(`update topic set ends = ${ends}, next_off = next_off + 1 where id = ?`).run(topicId);
}
