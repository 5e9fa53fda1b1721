import { expect, test } from "vitest";
import { resumeAt } from "../src/lane/resume.ts";

const position = { topic: "t", partition: 0, logId: "log", nextOffset: 10, lastOffset: 9, lastId: "m9", marks: {} };
const bounds = { topic: "t", partition: 0, logId: "log", firstOffset: 0, nextOffset: 20, bytes: 0 };

test.each([
  ["a position on the log that it was taken from", position, bounds, "m9", "as-is"],
  ["one at the log's end", position, { ...bounds, nextOffset: 10 }, "m9", "as-is"],
  ["one whose last message retention has deleted", position, { ...bounds, firstOffset: 10 }, undefined, "as-is"],
  [
    "one that never read a message",
    { ...position, lastOffset: undefined, lastId: undefined },
    bounds,
    undefined,
    "as-is",
  ],
  ["one that was never on a log", { ...position, logId: "", nextOffset: 0 }, bounds, undefined, "rewind"],
  ["one on a log that is made anew and is longer", position, { ...bounds, logId: "new" }, "m9", "rewind"],
  ["one behind the log's end", position, { ...bounds, nextOffset: 9 }, undefined, "rewind"],
  ["one whose last message is another", position, bounds, "x9", "rewind"],
  ["one whose last message is gone from the middle", position, bounds, undefined, "rewind"],
  ["one before the first message kept", position, { ...bounds, firstOffset: 11 }, undefined, "retention-passed"],
] as const)("%s", (_what, at, log, found, kind) => {
  expect(resumeAt(at, log, found).kind).toBe(kind);
});
