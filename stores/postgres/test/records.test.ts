import type { Envelope } from "@waybill/messaging";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { messagesIn, RecordWriter } from "../src/records.ts";

const text = fc.string({ unit: "binary", maxLength: 40 });
/** Lone halves of surrogate pairs too. */
const anyUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
const message: fc.Arbitrary<Envelope> = fc.record({
  id: text,
  type: text,
  schema: fc.integer({ min: 0, max: 2 ** 31 }),
  subject: text,
  key: text,
  producer: text,
  atMs: fc.double({ noNaN: true }),
  correlation: text,
  causation: fc.option(text, { nil: undefined }),
  traceparent: fc.option(text, { nil: undefined }),
  stamp: fc.option(fc.record({ source: text, n: fc.maxSafeNat(), prev: fc.maxSafeNat() }), { nil: undefined }),
  body: fc.oneof(fc.string({ unit: anyUnit, maxLength: 40 }), fc.uint8Array({ maxLength: 40 })),
});

test("what is written is read again, whatever the attributes and bodies hold", () => {
  const writer = new RecordWriter();
  const place = { topic: "orders", partition: 3 };
  fc.assert(
    fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
      for (const one of messages) writer.add(one);
      expect(messagesIn(Buffer.from(writer.take()), place)).toEqual(messages.map((one) => ({ ...place, ...one })));
    }),
  );
});

test("a lone surrogate in an attribute becomes the sign for what cannot be written, and moves nothing else", () => {
  const writer = new RecordWriter();
  const attributes = { type: "t", schema: 1, subject: "s", key: "s", producer: "p", atMs: 1, correlation: "c" };
  writer.add({ ...attributes, id: "a\ud800b", body: "x\udfff" });
  const [found] = messagesIn(Buffer.from(writer.take()), { topic: "orders", partition: 0 });
  expect(found).toMatchObject({ ...attributes, id: "a\ufffdb", body: "x\udfff" });
});
