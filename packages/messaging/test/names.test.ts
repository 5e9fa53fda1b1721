import { expect, test } from "vitest";
import { murmur2, partitionOf } from "@waybill/messaging";
import { derivedId, keyText } from "../src/ids.ts";

// The vectors of org.apache.kafka.common.utils.UtilsTest.
test.each([
  ["21", -973_932_308],
  ["foobar", -790_332_482],
  ["a-little-bit-long-string", -985_981_536],
  ["a-little-bit-longer-string", -1_486_304_829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971],
])("%s hashes as Kafka hashes it", (text, hash) => {
  expect(murmur2(new TextEncoder().encode(text))).toBe(hash);
});

test("bytes hash as Kafka hashes them", () => {
  expect(murmur2(new Uint8Array([0x61, 0x62, 0x63]))).toBe(479_470_107);
});

test("a key's partition is its hash made positive, modulo their number, also beyond ASCII", () => {
  const keys = ["21", "foobar", "größe", "日本", "😀", "x".repeat(200), "é".repeat(100)];
  for (const key of keys) {
    const hash = murmur2(new TextEncoder().encode(key)) & 0x7fffffff;
    for (const partitions of [1, 7, 32]) expect(partitionOf(key, partitions)).toBe(hash % partitions);
  }
});

test("an id that is derived is the same again, and shared with nothing else", () => {
  const ids = [
    derivedId("a", "s", "m", 0),
    derivedId("a", "s", "m", 1),
    derivedId("a", "s", "e", 0),
    derivedId("a", "other", "m", 0),
    derivedId("b", "s", "m", 0),
    derivedId("a", "s", "m1", 0),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  expect(derivedId("a", "s", "m", 0)).toBe(ids[0]);
  expect(ids[0]).toMatch(/^[\w-]{27}$/);
});

test.each([
  ["", "is empty"],
  ["x".repeat(201), "longer than 200 bytes"],
  ["é".repeat(101), "longer than 200 bytes"],
  ["a\u0000b", "control characters"],
  ["a\u007f", "control characters"],
  ["half \ud800", "half of a surrogate pair"],
])("%j cannot be a key", (text, reason) => {
  expect(() => keyText(text, "The key of", "order.placed")).toThrow(
    expect.objectContaining({
      code: "KEY_INVALID",
      message: expect.stringMatching(new RegExp(`^The key of order\\.placed .*${reason}`)) as string,
    }),
  );
});

test.each(["a", "x".repeat(200), "é".repeat(100), "a b/c:d", "😀"])("%j can be a key", (text) => {
  expect(keyText(text, "The key of", "it")).toBe(text);
});
