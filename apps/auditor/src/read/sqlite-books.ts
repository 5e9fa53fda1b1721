import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { fileName, layoutVersion, topicSpan } from "@waybill/store-sqlite";
import type { Books, LaneFacts, LogMessage, ReaderPosition, StateText, TopicFacts, Waiting } from "../books.ts";
import { ChunkCursor } from "./chunk-cursor.ts";
import { pagesById, pagesOf } from "./pages.ts";

/**
 * The books of a data folder as they are at this moment, beside whoever works in it: one read transaction, which sees
 * nothing of what is written later. Throws when there is no readable shop in the folder.
 */
export function openSqliteBooks(folder: string): Books {
  const path = join(folder, fileName);
  accessSync(path, constants.R_OK);
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    refuseOther(db, path);
    db.exec("pragma cache_size = -16384; pragma mmap_size = 0; begin");
    return booksOf(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function refuseOther(db: DatabaseSync, path: string): void {
  const { user_version: version } = db.prepare("pragma user_version").get() as { user_version: number };
  if (version === layoutVersion) return;
  throw new Error(`${path} has layout ${version}; this build audits layout ${layoutVersion}.`);
}

/** With each topic the latest time in its first chunk: everything later than that is kept. */
const topicsSql = `select id, name, partitions, first_off as firstOffset, next_off as nextOffset,
  (select at_max from chunk where off >= topic.id * ${topicSpan} and off < (topic.id + 1) * ${topicSpan}
   order by off limit 1) as cutMs
  from topic order by id`;

/** Whatever is committed, claimed or appended changes one of these. */
const momentSql = `select
  (select group_concat(service || lane || '/' || epoch || '/' || batch || '/' || next_n) from lane) || ' ' ||
  (select group_concat(id || '/' || first_off || '/' || next_off) from topic) as moment`;

interface TopicRow {
  readonly id: number;
  readonly name: string;
  readonly partitions: number;
  /** All partitions share the topic's offsets. */
  readonly firstOffset: number;
  readonly nextOffset: number;
  readonly cutMs: number | null;
}

function topicOf({ name, partitions, firstOffset, nextOffset, cutMs }: TopicRow): TopicFacts {
  return {
    name,
    partitions,
    isExact: true,
    isCut: firstOffset > 0,
    cutMs: firstOffset === 0 ? undefined : (cutMs ?? Infinity),
    firstOffsets: Array<number>(partitions).fill(firstOffset),
    nextOffsets: Array<number>(partitions).fill(nextOffset),
  };
}

const lanesSql = "select service, lane, source, next_n as nextN, time_ms as timeMs, stopped from lane";

const positionsSql = `select service, topic, partition, next_offset as nextOffset, last_offset as lastOffset,
  last_id as lastId, marks from position`;

interface PositionRow extends Omit<ReaderPosition, "lastOffset" | "lastId" | "marks"> {
  readonly lastOffset: number | null;
  readonly lastId: string | null;
  readonly marks: string;
}

const stateOf = ([id, body]: readonly [string, string]): StateText => ({ id, body });

const idOf = ([id]: readonly [string]): string => id;

const waitingOf = ([service, key, name, dueMs]: readonly [string, string, string, number | null]): Waiting => ({
  service,
  key,
  name,
  dueMs,
});

function booksOf(db: DatabaseSync): Books {
  const all = <Row>(sql: string, ...values: SQLInputValue[]) => db.prepare(sql).all(...values) as Row[];
  const waiting = (columns: string) => pagesOf(db, `select service, key, ${columns}`, [], waitingOf);
  const rows = all<TopicRow>(topicsSql);
  const byName = new Map(rows.map((row) => [row.name, row]));
  const moments = all<{ moment: string }>(momentSql);
  return {
    topics: rows.map(topicOf),
    confirmed: [],
    moment: moments[0]!.moment,
    lanes: all<LaneFacts & { stopped: string | null }>(lanesSql).map(({ stopped, ...row }) => ({
      ...row,
      stopped: stopped ?? undefined,
    })),
    positions: all<PositionRow>(positionsSql).map(({ marks, lastOffset, lastId, ...row }) => ({
      ...row,
      lastOffset: lastOffset ?? undefined,
      lastId: lastId ?? undefined,
      marks: JSON.parse(marks) as Record<string, number>,
    })),
    async count(service, kind) {
      const sql = "select count(*) as count from state where service = ? and kind = ?";
      return all<{ count: number }>(sql, service, kind)[0]!.count;
    },
    async idAt(service, kind, at) {
      const sql = "select id from state where service = ? and kind = ? order by id limit 1 offset ?";
      return all<{ id: string }>(sql, service, kind, at)[0]?.id;
    },
    states(service, kind, { from = "", before } = {}) {
      const sql = "select id, body from state where service = ? and kind = ?";
      if (before === undefined) return pagesById(db, sql, [service, kind], from, stateOf);
      return pagesById(db, `${sql} and id < ?`, [service, kind, before], from, stateOf);
    },
    ids: (service, kind) =>
      pagesById(db, "select id from state where service = ? and kind = ?", [service, kind], "", idOf),
    timers: () => waiting("name, due_ms from timer"),
    effects: () => waiting("name, due_ms from effect"),
    parked: () => waiting("fingerprint, due_ms from parked_key"),
    sharedEffectIds: async () =>
      all<{ id: string; count: number }>("select id, count(*) as count from effect group by id having count(*) > 1"),
    messages: async (topic, visit) => readChunks(db, byName.get(topic.name)!, visit),
    [Symbol.asyncDispose]: async () => db.close(),
  };
}

function readChunks(db: DatabaseSync, topic: TopicRow, visit: (message: LogMessage) => void): void {
  const base = topic.id * topicSpan;
  const chunks = db
    .prepare("select off, count, records from chunk where off >= ? and off < ? order by off")
    .iterate(base, base + topic.nextOffset) as IterableIterator<{ off: number; count: number; records: string }>;
  const cursor = new ChunkCursor();
  for (const { off, count, records } of chunks) {
    cursor.open(topic.name, off - base, records);
    let seen = 0;
    for (; cursor.next(); seen++) visit(cursor);
    if (seen !== count) {
      throw new Error(`The chunk at offset ${off - base} of ${topic.name} says ${count} messages and holds ${seen}.`);
    }
  }
}
