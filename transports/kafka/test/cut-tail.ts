import { crc32c } from "@platformatic/kafka";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const headBytes = 61;

/**
 * Removes the last messages of a partition from the files of a broker that is stopped, as if they had never been stored:
 * what a broker comes to that loses its machine's power with messages in memory only.
 */
export function cutTail(data: string, topic: string, partition: number, count: number): void {
  const folder = join(data, `${topic}-${partition}`);
  const segments = readdirSync(folder).filter((name) => name.endsWith(".log"));
  const segment = join(folder, segments.toSorted().at(-1)!);
  let bytes: Buffer = readFileSync(segment);
  for (let left = count; left > 0;) {
    const start = lastBatch(bytes);
    const records = bytes.readInt32BE(start + 57);
    bytes = records <= left ? bytes.subarray(0, start) : shortened(bytes, start, records - left);
    left -= Math.min(records, left);
  }
  writeFileSync(segment, bytes);
  // Without these the broker reads the segment again, as after a crash.
  for (const name of readdirSync(folder)) if (/\.(index|timeindex|snapshot)$/.test(name)) rmSync(join(folder, name));
  for (const name of [".kafka_cleanshutdown", "recovery-point-offset-checkpoint", "replication-offset-checkpoint"]) {
    rmSync(join(data, name), { force: true });
  }
}

/** Where the last batch begins. */
function lastBatch(bytes: Buffer): number {
  let last = -1;
  for (let at = 0; at < bytes.length; at += 12 + bytes.readInt32BE(at + 8)) last = at;
  if (last < 0) throw new Error("The segment holds fewer messages than are to be lost.");
  return last;
}

/** The file up to the first `kept` records of its last batch. */
function shortened(bytes: Buffer, start: number, kept: number): Buffer {
  let end = start + headBytes;
  for (let record = 0; record < kept; record++) {
    const { value, size } = varint(bytes, end);
    end += size + value;
  }
  const batch = Buffer.from(bytes.subarray(0, end));
  batch.writeInt32BE(end - start - 12, start + 8);
  batch.writeInt32BE(kept - 1, start + 23);
  batch.writeInt32BE(kept, start + 57);
  batch.writeUInt32BE(crc32c(batch.subarray(start + 21)), start + 17);
  return batch;
}

function varint(bytes: Buffer, at: number): { value: number; size: number } {
  let raw = 0;
  for (let size = 0; ; size++) {
    const byte = bytes[at + size]!;
    raw |= (byte & 0x7f) << (7 * size);
    if (byte < 0x80) return { value: (raw >>> 1) ^ -(raw & 1), size: size + 1 };
  }
}
