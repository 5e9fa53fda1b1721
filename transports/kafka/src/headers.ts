import { readRecord, writeAttributes, type Envelope, type StoredMessage } from "@waybill/messaging";
import { isUtf8 } from "node:buffer";
import { ByteReader, type ByteWriter } from "./bytes.ts";

/**
 * A record's headers as the Kafka binding of CloudEvents 1.0 has them in binary mode: `ce_` and the attribute's name, but
 * `content-type` for the type of the body.
 */
const attributes = [
  "specversion",
  "id",
  "source",
  "type",
  "subject",
  "time",
  "datacontenttype",
  "dataschema",
  "partitionkey",
  "correlationid",
  "causationid",
  "traceparent",
  "chainsource",
  "chainn",
  "chainprev",
] as const;

const headerNames = attributes.map((name) => Buffer.from(name === "datacontenttype" ? "content-type" : `ce_${name}`));
const slots = new Map<string, number>(attributes.map((name, slot) => [name, slot]));

let target: ByteWriter;
let written = 0;

function put(name: string, value: string): void {
  target.sized(headerNames[slots.get(name)!]!);
  target.text(value);
  written += 1;
}

/** Writes what follows a record's offset: key, body and headers. */
export function writeEnvelope(writer: ByteWriter, envelope: Envelope): void {
  const { key, body } = envelope;
  writer.text(key);
  if (typeof body === "string") writer.text(body);
  else writer.sized(body);
  // There are fewer than 64 headers, so their number is one byte.
  const count = writer.at;
  writer.room(1);
  writer.at += 1;
  target = writer;
  written = 0;
  writeAttributes(envelope, put);
  writer.buffer[count] = written * 2;
}

/** A record as it lies in a buffer. */
export interface RawRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly keyStart: number;
  /** Below `keyStart` when there is no key. */
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly headersAt: number;
}

/** Makes messages of records. Values that a record shares with the one before it are one text in memory. */
export class EnvelopeReader {
  #buffer: Buffer = Buffer.alloc(0);
  readonly #starts = new Int32Array(attributes.length);
  readonly #ends = new Int32Array(attributes.length);
  readonly #texts: string[] = attributes.map(() => "");
  readonly #attribute = (name: string): string | undefined => this.#value(slots.get(name)!);

  read(buffer: Buffer, record: RawRecord, topic: string, partition: number): StoredMessage {
    this.#buffer = buffer;
    const { offset, timestampMs: storedMs, keyStart, keyEnd, valueStart, valueEnd } = record;
    const key = keyEnd <= keyStart ? undefined : buffer.toString("utf8", keyStart, keyEnd);
    const place = { topic, partition, offset, storedMs, key };
    const value = buffer.subarray(valueStart, valueEnd);
    // A text does not keep the whole answer in memory that it was read from.
    const body = isUtf8(value) ? value.toString("utf8") : new Uint8Array(value);
    this.#find(buffer, record.headersAt);
    return readRecord(place, this.#attribute, body);
  }

  /** Notes where the value of each attribute lies. */
  #find(buffer: Buffer, at: number): void {
    this.#starts.fill(-1);
    const reader = new ByteReader(buffer, at);
    let expected = 0;
    for (let count = reader.varint(); count > 0; count--) {
      const length = reader.varint();
      const slot = slotOf(buffer, reader.at, length, expected);
      reader.at += length;
      const size = Math.max(reader.varint(), 0);
      if (slot >= 0) {
        this.#starts[slot] = reader.at;
        this.#ends[slot] = reader.at + size;
        expected = slot + 1;
      }
      reader.at += size;
    }
  }

  #value(slot: number): string | undefined {
    const start = this.#starts[slot]!;
    if (start < 0) return undefined;
    const end = this.#ends[slot]!;
    const before = this.#texts[slot]!;
    if (isAscii(this.#buffer, start, end, before)) return before;
    const text = this.#buffer.toString("utf8", start, end);
    this.#texts[slot] = text;
    return text;
  }
}

/** Whether the bytes are this text, in ASCII. */
function isAscii(buffer: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  // Ids that count up differ at their ends.
  for (let at = text.length - 1; at >= 0; at--) {
    const byte = buffer[start + at]!;
    if (byte > 0x7f || byte !== text.charCodeAt(at)) return false;
  }
  return true;
}

/** Which attribute a header is; below 0 when it is none. Mostly they come in the order in which they are written. */
function slotOf(buffer: Buffer, at: number, length: number, expected: number): number {
  if (expected < headerNames.length && matches(buffer, at, length, headerNames[expected]!)) return expected;
  return headerNames.findIndex((name) => matches(buffer, at, length, name));
}

function matches(buffer: Buffer, at: number, length: number, name: Buffer): boolean {
  if (length !== name.length) return false;
  for (let index = 0; index < length; index++) if (buffer[at + index] !== name[index]) return false;
  return true;
}
