import { readRecord, unreadable, type StoredMessage } from "@waybill/messaging";
import type { Msg } from "@nats-io/transport-node";
import { attributesIn } from "./headers.ts";
import { partitionIn } from "./subject.ts";

/** A message of a stream as the server gave it out. */
export interface StreamRecord {
  readonly subject: string;
  readonly sequence: number;
  readonly storedMs: number;
  /** The header block as text, one character a byte; undefined when there is none. */
  readonly block: string | undefined;
  readonly body: Uint8Array;
}

/** The record as a message; undefined when its subject belongs to no partition. */
export function messageOf(topic: string, record: StreamRecord): StoredMessage | undefined {
  const { subject, sequence, storedMs, block, body } = record;
  const partition = partitionIn(subject, topic);
  if (partition < 0) return undefined;
  const place = { topic, partition, offset: sequence, storedMs };
  if (block === undefined) return unreadable(place, body, "The record has no headers, so it is no CloudEvent.");
  return readRecord(place, attributesIn(block), body);
}

const signature = "NATS/1.0";

/** A client's message knows its whole size, though its type does not say so. */
interface Sized {
  size?(): number;
}

/** A message's size as the protocol counts it: its subject, reply subject, headers and body. */
export function sizeOf(message: Msg): number {
  return (message as Sized).size?.() ?? 0;
}

/**
 * The header block of a message as text. The client's own parser costs more than all else in reading, so the bytes are
 * taken from where they lie: right before the body. If they should not lie there, the parser is asked.
 */
export function headerBlockOf(message: Msg): string | undefined {
  const { data, subject, reply = "" } = message;
  const bytes = sizeOf(message) - subject.length - reply.length - data.length;
  if (bytes > 0 && bytes <= data.byteOffset) {
    const block = Buffer.from(data.buffer, data.byteOffset - bytes, bytes).toString("latin1");
    if (block.startsWith(signature)) return block;
  }
  const { headers } = message;
  if (headers === undefined) return undefined;
  const lines = [...headers].flatMap(([name, values]) => values.map((value) => `${name}: ${value}`));
  return [signature, ...lines, ""].join("\r\n");
}

/** What the server says of a delivery: in which stream sequence it is, the how manieth it was, and what is left. */
export interface Delivery {
  readonly sequence: number;
  readonly delivered: number;
  readonly storedMs: number;
  readonly pending: number;
}

/**
 * Reads the reply subject of a delivery: `$JS.ACK.<stream>.<consumer>.<redelivered>.<seq>.<n>.<nanoseconds>.<pending>`,
 * or with a domain and an account's hash in front of the stream, and a random token at the end.
 */
export function deliveryOf(reply: string): Delivery | undefined {
  const tokens = reply.split(".");
  const first = tokens.length === 9 ? 5 : tokens.length >= 11 ? 7 : undefined;
  if (first === undefined || tokens[0] !== "$JS" || tokens[1] !== "ACK") return undefined;
  return {
    sequence: Number(tokens[first]),
    delivered: Number(tokens[first + 1]),
    storedMs: Math.floor(Number(tokens[first + 2]) / 1e6),
    pending: Number(tokens[first + 3]),
  };
}
