import { createRecordsBatch, Reader, readRecordsBatches } from "@platformatic/kafka";
import type { Envelope } from "@waybill/messaging";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeBatch } from "../src/record-batch.ts";
import { Records } from "../src/records.ts";
import { message } from "./steps.ts";

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 });
const whole = fc.integer({ min: 1, max: 2 ** 50 });
const envelope: fc.Arbitrary<Envelope> = fc.record({
  id: text,
  type: fc.constantFrom("order.placed", "stock.réservé"),
  schema: fc.integer({ min: 1, max: 99 }),
  subject: text,
  key: text,
  producer: text,
  atMs: fc.integer({ min: 0, max: 4_102_444_800_123 }),
  correlation: text,
  causation: fc.option(text, { nil: undefined }),
  traceparent: fc.option(text, { nil: undefined }),
  stamp: fc.option(
    fc.tuple(text, whole, whole).map(([source, a, b]) => ({ source, n: a + b, prev: a })),
    { nil: undefined },
  ),
  body: fc.oneof(fc.string({ unit: "binary", maxLength: 9_000 }).map(whole8), fc.constant("")),
});

/** Lone surrogates have no bytes in UTF-8. */
function whole8(value: string): string {
  return Buffer.from(value).toString();
}

function recordsOf(bytes: Buffer, fromOffset = 0): Records {
  return new Records({ topic: "orders", partition: 3, bytes, aborted: [], fromOffset });
}

function all(records: Records): unknown[] {
  const found: unknown[] = [];
  while (records.hasMore()) found.push(records.take());
  return found;
}

test.each(["none", "lz4", "zstd"] as const)("messages come back as they were, packed with %s", (compression) => {
  fc.assert(
    fc.property(fc.array(envelope, { minLength: 1, maxLength: 20 }), (messages) => {
      const { bytes, count } = encodeBatch(messages, 0, 10_000_000, compression);
      expect(count).toBe(messages.length);
      expect(all(recordsOf(bytes))).toEqual(
        messages.map((one, offset) => ({ ...one, topic: "orders", partition: 3, offset })),
      );
    }),
    { numRuns: 100 },
  );
});

test("the client reads what is written here as it reads what it writes itself", () => {
  const messages = [message(1), { ...message(2), key: "größe", body: "x".repeat(70_000) }, message(3)];
  const [batch] = readRecordsBatches(Reader.from(encodeBatch(messages, 0, 1_000_000, "none").bytes));
  expect(batch!.lastOffsetDelta).toBe(2);
  expect(batch!.firstTimestamp + batch!.records[2]!.timestampDelta).toBe(BigInt(messages[2]!.atMs));
  expect(batch!.records.map(({ key, value }) => [String(key), String(value)])).toEqual(
    messages.map(({ key, body }) => [key, body]),
  );
  const headers = new Map(batch!.records[1]!.headers.map(([name, value]) => [String(name), String(value)]));
  expect(headers.get("ce_specversion")).toBe("1.0");
  expect(headers.get("content-type")).toBe("application/json");
  expect(headers.get("ce_partitionkey")).toBe("größe");
});

test("a batch holds what fits and one message at least", () => {
  const messages = [1, 2, 3].map((n) => ({ ...message(n), body: "x".repeat(1_000) }));
  expect(encodeBatch(messages, 0, 3_200, "none").count).toBe(2);
  expect(encodeBatch(messages, 0, 10, "none").count).toBe(1);
  expect(encodeBatch(messages, 2, 3_200, "none").count).toBe(1);
});

test("reading begins at the offset that was asked for, within a batch, and leaves out a batch that is cut off", () => {
  const { bytes } = encodeBatch(
    [1, 2, 3, 4].map((n) => message(n)),
    0,
    100_000,
    "none",
  );
  const two = Buffer.concat([bytes, bytes.subarray(0, bytes.length - 1)]);
  const records = recordsOf(two, 2);
  expect(all(records)).toMatchObject([{ id: "p0-3" }, { id: "p0-4" }]);
  expect(records.nextOffset).toBe(4);
});

test("a batch whose bytes were changed on the way is refused", () => {
  const { bytes } = encodeBatch([message(1)], 0, 100_000, "none");
  bytes[bytes.length - 3]! ^= 1;
  expect(() => all(recordsOf(bytes))).toThrow(/checksum/);
});

test("a record of anybody's is a message without attributes, and says so", () => {
  const written = createRecordsBatch([{ topic: "", partition: 0, value: Buffer.from([0xff]), headers: new Map() }]);
  expect(all(recordsOf(written.buffer))).toMatchObject([{ type: "unreadable", body: new Uint8Array([0xff]) }]);
});
