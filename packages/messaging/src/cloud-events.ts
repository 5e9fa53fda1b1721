import type { Body, Envelope, Stamp, StoredMessage } from "./message.ts";

/**
 * An envelope as the attributes of CloudEvents 1.0, by name and as text. How a broker's headers spell a name and encode
 * a value is the affair of its transport. `datacontenttype` is always JSON; `dataschema` ends with the version.
 */
export function writeAttributes(envelope: Envelope, put: (name: string, value: string) => void): void {
  const { type, schema, causation, traceparent, stamp } = envelope;
  put("specversion", "1.0");
  put("id", envelope.id);
  put("source", envelope.producer);
  put("type", type);
  put("subject", envelope.subject);
  put("time", timeText(envelope.atMs));
  put("datacontenttype", "application/json");
  put("dataschema", `urn:waybill:${type}:${schema}`);
  put("partitionkey", envelope.key);
  put("correlationid", envelope.correlation);
  if (causation !== undefined) put("causationid", causation);
  if (traceparent !== undefined) put("traceparent", traceparent);
  if (stamp === undefined) return;
  put("chainsource", stamp.source);
  put("chainn", String(stamp.n));
  put("chainprev", String(stamp.prev));
}

/** Where a record was found, and what its broker says of it. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** When the broker stored it: the time of a message that has none of its own. */
  readonly storedMs: number;
  /** The broker's own key, for a message that has no `partitionkey`. */
  readonly key?: string | undefined;
}

/**
 * A record as a message. Other languages need to give `specversion`, `id`, `source` and `type` only: the version is then
 * 1, the subject the key or the id, the time that of storing. A record that is no CloudEvent comes back `malformed`.
 */
export function readRecord(
  place: RecordPlace,
  attribute: (name: string) => string | undefined,
  body: Body,
): StoredMessage {
  const version = attribute("specversion");
  const id = attribute("id");
  const producer = attribute("source");
  const type = attribute("type");
  if (!version || !id || !producer || !type)
    return unreadable(place, body, lacking({ specversion: version, id, source: producer, type }));
  if (!version.startsWith("1."))
    return unreadable(place, body, `The attribute specversion is "${version}"; 1.0 is read here.`);
  // In the order in which they are written, so that each is found where the one before ends.
  const subject = attribute("subject");
  const time = attribute("time");
  const schema = schemaOf(attribute("dataschema"));
  if (schema === undefined) {
    return unreadable(
      place,
      body,
      "The attribute dataschema does not end with a version, as in urn:waybill:order.place:1.",
    );
  }
  const atMs = time === undefined ? place.storedMs : timeMs(time);
  if (Number.isNaN(atMs)) return unreadable(place, body, "The attribute time is not a time as in RFC 3339.");
  const key = attribute("partitionkey") ?? place.key ?? subject ?? id;
  const correlation = attribute("correlationid") ?? id;
  const causation = attribute("causationid");
  const traceparent = attribute("traceparent");
  const stamp = stampOf(attribute);
  if (stamp === null) return unreadable(place, body, "The attributes chainsource, chainn and chainprev are no stamp.");
  return {
    topic: place.topic,
    partition: place.partition,
    offset: place.offset,
    id,
    type,
    schema,
    subject: subject ?? key,
    key,
    producer,
    atMs,
    correlation,
    causation,
    traceparent,
    stamp,
    body,
  };
}

/** A record that is no message, with the reason. Its attributes are made up from its position, the same each time. */
export function unreadable(
  { topic, partition, offset, storedMs }: RecordPlace,
  body: Body,
  malformed: string,
): StoredMessage {
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
    atMs: storedMs,
    correlation: madeUp,
    body,
    malformed,
  };
}

function lacking(needed: Record<string, string | undefined>): string {
  const names = Object.keys(needed).filter((name) => !needed[name]);
  return `The record is no CloudEvent: it has no attribute ${names.join(", ")}.`;
}

/** The version at the end of a `dataschema`, 1 where there is none; undefined when it ends with something else. */
function schemaOf(dataschema: string | undefined): number | undefined {
  if (dataschema === undefined) return 1;
  let at = dataschema.length;
  while (at > 0 && isDigit(dataschema.charCodeAt(at - 1))) at -= 1;
  const schema = Number(dataschema.slice(at));
  return at > 0 && schema >= 1 && Number.isSafeInteger(schema) ? schema : undefined;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Undefined when there is none, null when there is one that cannot be. */
function stampOf(attribute: (name: string) => string | undefined): Stamp | undefined | null {
  const source = attribute("chainsource");
  const n = attribute("chainn");
  const prev = attribute("chainprev");
  if (source === undefined && n === undefined && prev === undefined) return undefined;
  const stamp = { source: source ?? "", n: wholeOf(n), prev: wholeOf(prev) };
  return stamp.source !== "" && stamp.n >= 1 && stamp.prev >= 0 && stamp.prev < stamp.n ? stamp : null;
}

/** A whole number that is exact, else NaN. */
function wholeOf(text: string | undefined): number {
  const number = text === undefined || !/^\d{1,16}$/.test(text) ? Number.NaN : Number(text);
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

// Messages of one batch mostly have one time, and turning a date into text or back costs more than all else here.
let written = { ms: 0, text: new Date(0).toISOString() };
let read = { text: "", ms: Number.NaN };

function timeText(ms: number): string {
  if (written.ms !== ms) written = { ms, text: new Date(ms).toISOString() };
  return written.text;
}

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function timeMs(text: string): number {
  if (read.text !== text) read = { text, ms: rfc3339.test(text) ? Date.parse(text) : Number.NaN };
  return read.ms;
}
