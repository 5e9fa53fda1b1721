/** How many offsets a topic may use: a chunk's key is its topic's id times this, plus its first offset. */
export const topicSpan = 2 ** 44;

/** The version of the layout below; a file with a higher one is refused. */
export const layoutVersion = 1;

export const layout = `
create table meta (name text primary key, value text not null) strict, without rowid;

create table topic (
  id integer primary key, name text not null unique, log_id text not null, partitions integer not null,
  message_bytes_max integer not null, retention_ms integer, retention_bytes integer,
  next_off integer not null, first_off integer not null, bytes integer not null, ends text not null
) strict;

create table chunk (
  off integer primary key, count integer not null, at_min real not null, at_max real not null,
  bytes integer not null, records text not null
) strict;

create table lane (
  service text, lane integer, lanes integer not null, source text not null, owner text, epoch integer not null,
  batch integer not null, next_n integer not null, time_ms real not null, level integer not null,
  tries integer not null, suspect text, stopped text, primary key (service, lane)
) strict, without rowid;

create table position (
  service text, topic text, partition integer, log_id text not null, next_offset integer not null,
  last_offset integer, last_id text, marks text not null, primary key (service, topic, partition)
) strict, without rowid;

-- With a rowid: bodies of a kilobyte would leave room for few keys in the pages above them.
create table state (
  service text, kind text, id text, home integer not null, version integer not null, schema integer not null,
  body text not null, primary key (service, kind, id)
) strict;

create table outbox (
  service text, lane integer, topic text, partition integer, n integer, headers text not null,
  body any not null, primary key (service, lane, topic, partition, n)
) strict, without rowid;

create table sent (
  service text, lane integer, topic text, partition integer, n integer not null, log_id text not null,
  last_offset integer not null, primary key (service, lane, topic, partition)
) strict, without rowid;

create table timer (
  service text, partition integer, key text, name text, due_ms real not null, schema integer not null,
  body text not null, correlation text not null, causation text not null,
  primary key (service, partition, key, name)
) strict, without rowid;
create index timer_due on timer (service, due_ms);

create table effect (
  service text, partition integer, key text, queue text, seq integer, id text not null, name text not null,
  schema integer not null, input text not null, attempts integer not null, first_ms real, due_ms real not null,
  error text, correlation text not null, causation text not null, traceparent text,
  primary key (service, partition, key, queue, seq)
) strict, without rowid;
create index effect_due on effect (service, due_ms);

create table parked (
  service text, partition integer, key text, seq integer, kind text not null, origin text not null,
  id text not null, type text not null, headers text not null, body any not null,
  primary key (service, partition, key, seq)
) strict, without rowid;

create table parked_key (
  service text, partition integer, key text, since_ms real not null, attempts integer not null, due_ms real,
  build text not null, fingerprint text not null, error text not null, primary key (service, partition, key)
) strict, without rowid;

create table seen (
  service text, source text, id text, at_ms real not null, primary key (service, source, id)
) strict, without rowid;
create index seen_at on seen (service, at_ms);
`;

/** One kind of write: how many values each row takes, and whether it must find exactly one row to change. */
export interface Write {
  readonly sql: string;
  readonly width: number;
  readonly one?: true;
}

function put(table: string, width: number): Write {
  return { sql: `insert or replace into ${table} values (${Array(width).fill("?").join(", ")})`, width };
}

function drop(table: string, ...keys: string[]): Write {
  return { sql: `delete from ${table} where ${keys.map((key) => `${key} = ?`).join(" and ")}`, width: keys.length };
}

/** Some of the rows of a service, so that however many there are, no transaction is long. */
function dropSome(table: string, ...keys: string[]): Write {
  const key = keys.join(", ");
  return {
    sql: `delete from ${table} where (${key}) in (select ${key} from ${table} where service = ? limit ?)`,
    width: 2,
  };
}

/** Everything that the writer can do, by name. The values of a row are in the order of the statement's marks. */
export const writes = {
  topicPut: put("topic", 11),
  chunkAdd: { sql: "insert into chunk values (?, ?, ?, ?, ?, ?)", width: 6 },
  chunkTrim: { sql: "delete from chunk where off >= ? and off < ?", width: 2 },
  lanePut: put("lane", 13),
  positionPut: put("position", 8),
  positionRegister: {
    sql: "insert or ignore into position values (?, ?, ?, ?, ?, null, null, '{}')",
    width: 5,
  },
  stateInsert: { sql: "insert into state values (?, ?, ?, ?, ?, ?, ?)", width: 7, one: true },
  stateUpdate: {
    sql: `update state set home = ?, version = ?, schema = ?, body = ?
           where service = ? and kind = ? and id = ? and version = ?`,
    width: 8,
    one: true,
  },
  stateDelete: { ...drop("state", "service", "kind", "id", "version"), one: true },
  outboxPut: put("outbox", 7),
  outboxTrim: {
    sql: "delete from outbox where service = ? and lane = ? and topic = ? and partition = ? and n <= ?",
    width: 5,
  },
  sentPut: put("sent", 7),
  timerPut: put("timer", 9),
  timerDelete: drop("timer", "service", "partition", "key", "name"),
  effectPut: put("effect", 16),
  effectDelete: drop("effect", "service", "partition", "key", "queue", "seq"),
  parkedPut: put("parked", 10),
  parkedDelete: drop("parked", "service", "partition", "key", "seq"),
  parkedKeyPut: put("parked_key", 9),
  parkedKeyDelete: drop("parked_key", "service", "partition", "key"),
  seenPut: put("seen", 4),
  seenForget: {
    sql: `delete from seen where (service, source, id) in
           (select service, source, id from seen where service = ? and at_ms < ? order by at_ms limit ?)`,
    width: 3,
  },
  stateDropSome: dropSome("state", "rowid"),
  timerDropSome: dropSome("timer", "service", "partition", "key", "name"),
  effectDropSome: dropSome("effect", "service", "partition", "key", "queue", "seq"),
  parkedDropSome: dropSome("parked", "service", "partition", "key", "seq"),
  parkedKeyDropSome: dropSome("parked_key", "service", "partition", "key"),
  outboxDropSome: dropSome("outbox", "service", "lane", "topic", "partition", "n"),
  seenDropSome: dropSome("seen", "service", "source", "id"),
  sentDropAll: drop("sent", "service"),
  positionDropAll: drop("position", "service"),
  laneDropAll: drop("lane", "service"),
} satisfies Record<string, Write>;

export type WriteName = keyof typeof writes;

/** A value as SQLite takes it. */
export type Cell = string | number | null | Uint8Array;
