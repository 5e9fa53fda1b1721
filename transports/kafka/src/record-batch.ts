import { compressionsAlgorithms, crc32c } from "@platformatic/kafka";
import type { Envelope } from "@waybill/messaging";
import { ByteWriter, varintBytes } from "./bytes.ts";
import { writeEnvelope } from "./headers.ts";

export type Compression = "none" | "lz4" | "zstd";

/** What stands before a batch's records (https://kafka.apache.org/documentation/#recordbatch). */
export const headBytes = 61;
/** Where what the checksum covers begins. */
export const checkedFrom = 21;

export interface Encoded {
  readonly bytes: Buffer;
  /** How many of the messages it holds: those that fit. */
  readonly count: number;
}

// Batches are written one after the other, so they can share the place where they are written.
const writer = new ByteWriter(262_144);
const largeBytes = 8_388_608;

/**
 * The messages from `from` on as one batch of at most `bytesMax`, as many as fit and at least one. Their times are those
 * of publication. `longest` is called with the size of each.
 */
export function encodeBatch(
  messages: readonly Envelope[],
  from: number,
  bytesMax: number,
  compression: Compression,
): Encoded {
  const baseMs = messages[from]!.atMs;
  let maxMs = baseMs;
  let count = 0;
  writer.at = headBytes;
  for (let at = from; at < messages.length; at++) {
    const before = writer.at;
    writeRecord(messages[at]!, count, baseMs);
    if (writer.at > bytesMax && count > 0) {
      writer.at = before;
      break;
    }
    maxMs = Math.max(maxMs, messages[at]!.atMs);
    count += 1;
  }
  const bytes = compression === "none" ? Buffer.from(writer.buffer.subarray(0, writer.at)) : packed(compression);
  writeHead(bytes, { count, baseMs, maxMs, compression });
  shrink();
  return { bytes, count };
}

/** The length of a record stands before it and is known behind it; the guess is mostly right. */
function writeRecord(message: Envelope, index: number, baseMs: number): void {
  const start = writer.at;
  const guess = 2;
  writer.room(32);
  writer.at += guess;
  writer.byte(0);
  writer.varlong(message.atMs - baseMs);
  writer.varint(index);
  writeEnvelope(writer, message);
  const length = writer.at - start - guess;
  const needed = varintBytes(length);
  if (needed !== guess) {
    writer.room(needed);
    writer.buffer.copyWithin(start + needed, start + guess, writer.at);
  }
  writer.at = start;
  writer.varint(length);
  writer.at = start + needed + length;
}

function packed(compression: "lz4" | "zstd"): Buffer {
  const records = compressionsAlgorithms[compression].compressSync(writer.buffer.subarray(headBytes, writer.at));
  const bytes = Buffer.allocUnsafe(headBytes + records.length);
  bytes.set(records, headBytes);
  return bytes;
}

function writeHead(
  bytes: Buffer,
  { count, baseMs, maxMs, compression }: { count: number; baseMs: number; maxMs: number; compression: Compression },
): void {
  head.at = 0;
  head.int64(0); // The broker gives the offset.
  head.int32(bytes.length - 12);
  head.int32(-1);
  head.byte(2);
  head.int32(0);
  head.int16(compressionsAlgorithms[compression].bitmask);
  head.int32(count - 1);
  head.int64(baseMs);
  head.int64(maxMs);
  head.int64(-1); // No producer id: repeats are the business of the messages' stamps.
  head.int16(-1);
  head.int32(-1);
  head.int32(count);
  bytes.set(head.buffer.subarray(0, headBytes), 0);
  bytes.writeUInt32BE(crc32c(bytes.subarray(checkedFrom)), checkedFrom - 4);
}

const head = new ByteWriter(headBytes);

/** A batch larger than most does not keep its memory for ever. */
function shrink(): void {
  if (writer.buffer.length > largeBytes) writer.buffer = Buffer.allocUnsafeSlow(262_144);
}
