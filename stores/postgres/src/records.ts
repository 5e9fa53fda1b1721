import type { Body, Envelope, OutgoingMessage, Stamp, TopicPartition } from "@waybill/messaging";

/** Set in a body's length when it came as bytes and not as text. */
const bytesFlag = 0x8000_0000;

/**
 * Messages one after the other: the length of the attributes, the attributes as JSON, the length of the body, the body as it
 * is. A body is bytes of its own, so nothing in it has to be escaped, and nothing in it can be refused.
 */
export class RecordWriter {
  #bytes = Buffer.allocUnsafe(4096);
  #at = 0;

  add(message: Envelope): void {
    this.#text(attributesOf(message));
    const { body } = message;
    if (typeof body === "string") this.#text(body);
    else this.#raw(body);
  }

  /** What was added since the last call, valid until something is added again. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    if (this.#bytes.length > 1_048_576) this.#bytes = Buffer.allocUnsafe(4096);
    return taken;
  }

  #text(value: string): void {
    this.#reserve(4 + value.length * 3);
    const length = this.#bytes.write(value, this.#at + 4);
    this.#bytes.writeUInt32BE(length, this.#at);
    this.#at += 4 + length;
  }

  #raw(value: Uint8Array): void {
    this.#reserve(4 + value.byteLength);
    this.#bytes.writeUInt32BE(value.byteLength + bytesFlag, this.#at);
    this.#bytes.set(value, this.#at + 4);
    this.#at += 4 + value.byteLength;
  }

  #reserve(length: number): void {
    const needed = this.#at + length;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

type Attributes = [
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
  source?: string,
  n?: number,
  prev?: number,
];

/** JSON keeps NUL and lone surrogates as escapes. */
function attributesOf(message: Envelope): string {
  const { id, type, schema, subject, key, producer, atMs, correlation, causation, traceparent, stamp } = message;
  const routing = key === subject ? null : key;
  const rest = [correlation, causation ?? null, traceparent ?? null];
  const attributes = [id, type, schema, subject, routing, producer, atMs, ...rest];
  if (stamp !== undefined) attributes.push(stamp.source, stamp.n, stamp.prev);
  return JSON.stringify(attributes);
}

/** The messages in a row's bytes. */
export function messagesIn(bytes: Buffer, { topic, partition }: TopicPartition): (Envelope & TopicPartition)[] {
  const messages: (Envelope & TopicPartition)[] = [];
  for (let at = 0; at < bytes.length;) {
    const attributesEnd = at + 4 + bytes.readUInt32BE(at);
    const attributes = JSON.parse(bytes.toString("utf8", at + 4, attributesEnd)) as Attributes;
    const flagged = bytes.readUInt32BE(attributesEnd);
    const isBytes = flagged >= bytesFlag;
    const end = attributesEnd + 4 + (isBytes ? flagged - bytesFlag : flagged);
    const raw = bytes.subarray(attributesEnd + 4, end);
    messages.push(messageOf(topic, partition, attributes, isBytes ? new Uint8Array(raw) : raw.toString("utf8")));
    at = end;
  }
  return messages;
}

/** Those of a lane, which are stamped. */
export function outgoingIn(bytes: Buffer, place: TopicPartition): OutgoingMessage[] {
  return messagesIn(bytes, place) as OutgoingMessage[];
}

function messageOf(topic: string, partition: number, attributes: Attributes, body: Body): Envelope & TopicPartition {
  const [id, type, schema, subject, key, producer, atMs, correlation, causation, traceparent, source, n, prev] =
    attributes;
  const stamp: Stamp | undefined = source === undefined ? undefined : { source, n: n!, prev: prev! };
  return {
    topic,
    partition,
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
    stamp,
    body,
  };
}
