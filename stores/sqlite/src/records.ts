import type { Body, Envelope, StoredMessage } from "@waybill/messaging";
import type { Cell } from "./tables.ts";

/** How many cells a message takes on its way to the writer, and how many values in a chunk's JSON. */
export const recordWidth = 15;

/** A message's attributes and body, flat: what clones cheapest between threads. */
export function pushRecord(cells: Cell[], message: Envelope, partition: number): void {
  const { stamp } = message;
  cells.push(
    partition,
    message.id,
    message.type,
    message.schema,
    message.subject,
    message.key === message.subject ? null : message.key,
    message.producer,
    message.atMs,
    message.correlation,
    message.causation ?? null,
    message.traceparent ?? null,
    stamp === undefined ? null : stamp.source,
    stamp === undefined ? null : stamp.n,
    stamp === undefined ? null : stamp.prev,
    message.body,
  );
}

/** A chunk's column: one array a message; a body of bytes as `[base64]`. JSON keeps NUL and lone surrogates. */
export function recordsText(cells: readonly Cell[]): string {
  const records: unknown[] = [];
  for (let at = 0; at < cells.length; at += recordWidth) {
    const record: unknown[] = cells.slice(at, at + recordWidth);
    const body = record[recordWidth - 1];
    if (typeof body !== "string") record[recordWidth - 1] = [Buffer.from(body as Uint8Array).toString("base64")];
    records.push(record);
  }
  return JSON.stringify(records);
}

type Record = [
  partition: number,
  id: string,
  type: string,
  schema: number,
  subject: string,
  key: string | null,
  producer: string,
  atMs: number,
  correlation: string,
  causation: string | null,
  traceparent: string | null,
  source: string | null,
  n: number,
  prev: number,
  body: string | [base64: string],
];

/** A record that somebody else put into the log: bytes without attributes. */
type Unreadable = [partition: number, body: [base64: string]];

/** The messages of a chunk whose first offset is `first`. */
export function messagesOf(topic: string, first: number, text: string): StoredMessage[] {
  return (JSON.parse(text) as (Record | Unreadable)[]).map((record, index) => messageOf(topic, first + index, record));
}

function messageOf(topic: string, offset: number, record: Record | Unreadable): StoredMessage {
  if (record.length !== recordWidth) return unreadable(topic, offset, record);
  const [
    partition,
    id,
    type,
    schema,
    subject,
    key,
    producer,
    atMs,
    correlation,
    causation,
    traceparent,
    source,
    n,
    prev,
    body,
  ] = record;
  return {
    topic,
    partition,
    offset,
    id,
    type,
    schema,
    subject,
    key: key ?? subject,
    producer,
    atMs,
    correlation,
    causation: causation ?? undefined,
    traceparent: traceparent ?? undefined,
    stamp: source === null ? undefined : { source, n, prev },
    body: typeof body === "string" ? body : bytesOf(body[0]),
    value: undefined,
  };
}

/** The attributes of what is no envelope are made up from its position. */
function unreadable(topic: string, offset: number, [partition, [base64]]: Unreadable): StoredMessage {
  const madeUp = `${topic}-${partition}-${offset}`;
  return {
    topic,
    partition,
    offset,
    id: madeUp,
    type: "unreadable",
    schema: 0,
    subject: madeUp,
    key: madeUp,
    producer: "unknown",
    atMs: 0,
    correlation: madeUp,
    body: bytesOf(base64),
    malformed: "The record has no attributes.",
  };
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

/** A message as the log holds it: the same shape whether it comes from memory or from the file. */
export function stored(message: Envelope, topic: string, partition: number, offset: number): StoredMessage {
  const { id, type, schema, subject, key, producer, atMs, correlation, causation, traceparent, stamp, body, value } =
    message;
  return {
    topic,
    partition,
    offset,
    id,
    type,
    schema,
    subject,
    key,
    producer,
    atMs,
    correlation,
    causation,
    traceparent,
    stamp,
    body: typeof body === "string" ? body : body.slice(),
    value,
  };
}

/** The size of a body in memory, near enough for bounds: the characters of a text, the bytes of bytes. */
function bodySize(body: Body): number {
  return body.length;
}

/** A message's size for bounds, in about bytes: what its texts are long, and its numbers. */
export function sizeOf(message: Envelope): number {
  return (
    160 +
    bodySize(message.body) +
    message.id.length +
    message.subject.length +
    message.key.length +
    message.correlation.length +
    (message.causation?.length ?? 0)
  );
}
