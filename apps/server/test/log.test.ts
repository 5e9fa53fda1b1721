import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openLog } from "../src/log.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "waybill-log-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the server's log", () => {
  test("holds each line as soon as it is said", () => {
    const file = join(folder, "deep", "server.log");
    const log = openLog({ file });
    log("warn", "A lane was yielded.", { lane: 3 });
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ level: 40, lane: 3, msg: "A lane was yielded." });
  });

  test.runIf(existsSync("/dev/full"))("outlives a disk without room, however much is said meanwhile", () => {
    const file = join(folder, "server.log");
    symlinkSync("/dev/full", file);
    expect(() => appendFileSync(file, "x")).toThrow("ENOSPC");
    const log = openLog({ file });
    expect(() => {
      for (let n = 0; n < 2_000; n++) log("error", "x".repeat(1_024), { n });
    }).not.toThrow();
  });
});
