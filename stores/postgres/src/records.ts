import type { Body, Envelope, OutgoingMessage, TopicPartition } from "@waybill/messaging";

/** Set in a body's length: it came as bytes and not as text; it is text that UTF-8 cannot hold, two bytes a unit. */
const flags = { bytes: 0x8000_0000, utf16: 0x4000_0000 } as const;
const lengthMask = 0x3fff_ffff;

/** The length of an attribute that is absent. */
const absent = 0xffff_ffff;

/** Three numbers of 8 bytes; then of 4: schema, the lengths of nine texts in characters, of all texts and of the body in bytes. */
const headBytes = 72;

const keptBytesMax = 1_048_576;

/**
 * Messages one after the other: a head of numbers, the attributes' texts, the body as it is. So nothing in a body has to
 * be escaped and nothing in it can be refused, and writing one is quicker than as JSON.
 */
export class RecordWriter {
  #bytes = Buffer.allocUnsafe(4096);
  #at = 0;

  add(message: Envelope): void {
    const { body, atMs, schema, stamp } = message;
    const texts = textsOf(message);
    const all = texts.map((text) => text ?? "").join("");
    const start = this.#at;
    this.#reserve(headBytes + all.length * 3 + body.length * 3);
    const bytes = this.#bytes;
    const textBytes = bytes.write(all, start + headBytes);
    const bodyAt = start + headBytes + textBytes;
    const flagged = putBody(bytes, body, bodyAt);
    bytes.writeDoubleLE(atMs, start);
    bytes.writeDoubleLE(stamp?.n ?? 0, start + 8);
    let at = bytes.writeDoubleLE(stamp?.prev ?? 0, start + 16);
    at = bytes.writeUInt32LE(schema, at);
    for (const text of texts) at = bytes.writeUInt32LE(text === undefined ? absent : text.length, at);
    at = bytes.writeUInt32LE(textBytes, at);
    bytes.writeUInt32LE(flagged, at);
    this.#at = bodyAt + (flagged & lengthMask);
  }

  /** What was added since the last call, valid until something is added again. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    if (this.#bytes.length > keptBytesMax) this.#bytes = Buffer.allocUnsafe(4096);
    return taken;
  }

  #reserve(length: number): void {
    const needed = this.#at + length;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Writes a body, and gives its length in bytes with its flag. */
function putBody(bytes: Buffer, body: Body, at: number): number {
  if (typeof body !== "string") {
    bytes.set(body, at);
    return body.byteLength + flags.bytes;
  }
  return body.isWellFormed() ? bytes.write(body, at) : bytes.write(body, at, "utf16le") + flags.utf16;
}

function bodyOf(raw: Buffer, flagged: number): Body {
  if (flagged >= flags.bytes) return new Uint8Array(raw);
  return raw.toString(flagged >= flags.utf16 ? "utf16le" : "utf8");
}

/** The attributes that are text, in the order in which they are stored. */
function textsOf(message: Envelope): (string | undefined)[] {
  const { id, type, subject, key, producer, correlation, causation, traceparent, stamp } = message;
  const routing = key === subject ? undefined : key;
  return [id, type, subject, routing, producer, correlation, causation, traceparent, stamp?.source];
}

/** The messages in a row's bytes. */
export function messagesIn(bytes: Buffer, place: TopicPartition): (Envelope & TopicPartition)[] {
  const messages: (Envelope & TopicPartition)[] = [];
  for (let at = 0; at < bytes.length;) {
    const textAt = at + headBytes;
    const bodyAt = textAt + bytes.readUInt32LE(textAt - 8);
    const flagged = bytes.readUInt32LE(textAt - 4);
    const end = bodyAt + (flagged & lengthMask);
    const body = bodyOf(bytes.subarray(bodyAt, end), flagged);
    messages.push({ ...place, ...attributesIn(bytes, at, bytes.toString("utf8", textAt, bodyAt)), body });
    at = end;
  }
  return messages;
}

/** Those of a lane, which are stamped. */
export function outgoingIn(bytes: Buffer, place: TopicPartition): OutgoingMessage[] {
  return messagesIn(bytes, place) as OutgoingMessage[];
}

function attributesIn(bytes: Buffer, start: number, texts: string): Omit<Envelope, "body"> {
  let from = 0;
  const text = (index: number): string | undefined => {
    const length = bytes.readUInt32LE(start + 28 + index * 4);
    if (length === absent) return undefined;
    from += length;
    return texts.slice(from - length, from);
  };
  const [id, type, subject, routing] = [text(0)!, text(1)!, text(2)!, text(3)];
  const [producer, correlation, causation, traceparent, source] = [text(4)!, text(5)!, text(6), text(7), text(8)];
  const [n, prev] = [bytes.readDoubleLE(start + 8), bytes.readDoubleLE(start + 16)];
  return {
    id,
    type,
    schema: bytes.readUInt32LE(start + 24),
    subject,
    key: routing ?? subject,
    producer,
    atMs: bytes.readDoubleLE(start),
    correlation,
    causation,
    traceparent,
    stamp: source === undefined ? undefined : { source, n, prev },
  };
}
