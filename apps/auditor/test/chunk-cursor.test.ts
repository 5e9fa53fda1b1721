import { expect, test } from "vitest";
import { ChunkCursor } from "../src/read/chunk-cursor.ts";

type Cells = readonly unknown[];

const record = (change: Readonly<Record<number, unknown>> = {}): Cells =>
  Object.assign(
    [3, "id-1", "order.placed", 1, "o-1", null, "orders", 1_700_000_000_000, "c", "i", null, "s-1", 7, 4, '{"a":1}'],
    change,
  );

/** What the cursor makes of a chunk, in words of its own. */
function read(...records: readonly Cells[]) {
  const cursor = new ChunkCursor();
  cursor.open("orders", 10, JSON.stringify(records));
  const seen: Record<string, unknown>[] = [];
  while (cursor.next()) {
    const { partition, offset, id, type, subject, key, atMs, source, n, prev, malformed } = cursor;
    seen.push({ partition, offset, id, type, subject, key, atMs, source, n, prev, malformed, body: cursor.body() });
  }
  return seen;
}

const plain = {
  partition: 3,
  offset: 10,
  id: "id-1",
  type: "order.placed",
  subject: "o-1",
  key: "o-1",
  atMs: 1_700_000_000_000,
  source: "s-1",
  n: 7,
  prev: 4,
  malformed: false,
  body: '{"a":1}',
};

test("reads what JSON.stringify wrote, one after the other", () => {
  expect(read(record(), record({ 0: 31, 5: "other key", 12: 8, 13: 7 }))).toEqual([
    plain,
    { ...plain, offset: 11, partition: 31, key: "other key", n: 8, prev: 7 },
  ]);
});

test("reads a message from outside, which has no place in a chain", () => {
  expect(read(record({ 11: null, 12: null, 13: null }))).toEqual([{ ...plain, source: undefined, n: 0, prev: 0 }]);
});

test.each([
  ["quotes", 'say "hi"'],
  ["backslashes at the end", "a\\\\"],
  ["what looks like the end of a record", '"],["'],
  ["line ends and NUL", "a\n\u0000b"],
  ["half of a surrogate pair", "a\ud800"],
  ["other letters", "žluťoučký 品"],
])("is not misled by %s in any of its texts", (_, text) => {
  const all = record({ 1: text, 4: text, 6: text, 8: text, 9: text, 14: JSON.stringify([text]) });
  const expected = { ...plain, id: text, subject: text, key: text, body: JSON.stringify([text]) };
  expect(read(all, record())).toEqual([expected, { ...plain, offset: 11 }]);
});

test("passes by bodies of bytes, and by bytes that are no message at all", () => {
  const bytes = record({ 14: ["AAECAw=="] });
  expect(read(bytes, [5, ["AAECAw=="]], record())).toEqual([
    { ...plain, body: "" },
    expect.objectContaining({ partition: 5, offset: 11, malformed: true, source: undefined }),
    { ...plain, offset: 12 },
  ]);
});

test.each([
  ["cut in a text", (text: string) => text.slice(0, 30)],
  ["cut in a body", (text: string) => text.slice(0, -6)],
  ["of other things", (text: string) => text.replace('"id-1"', "{}")],
])("refuses a chunk that is %s", (_, spoil) => {
  const cursor = new ChunkCursor();
  cursor.open("orders", 0, spoil(JSON.stringify([record()])));
  expect(() => cursor.next()).toThrow("is not what was written");
});
