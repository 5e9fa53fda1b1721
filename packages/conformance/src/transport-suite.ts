import { describe } from "vitest";
import { appendCases } from "./transport-append.ts";
import { bodyCases } from "./transport-bodies.ts";
import type { OpenTransport } from "./transport-fixture.ts";
import { logCases } from "./transport-logs.ts";
import { readerCases } from "./transport-reader.ts";
import { topicCases } from "./transport-topics.ts";
import { waitCases } from "./transport-waits.ts";

/** Tries every promise of the Transport contract on an implementation. `open` is called once for each case. */
export function testTransport(name: string, open: OpenTransport): void {
  describe(`${name} keeps the transport's promises`, () => {
    describe("topics", () => {
      topicCases(open);
    });
    describe("append", () => {
      appendCases(open);
    });
    describe("what is stored", () => {
      bodyCases(open);
    });
    describe("reading", () => {
      readerCases(open);
    });
    describe("waiting and closing", () => {
      waitCases(open);
    });
    describe("a log that is not what it was", () => {
      logCases(open);
    });
  });
}
