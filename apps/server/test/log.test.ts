import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openLog } from "../src/log.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "waybill-log-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const unheard = (file: string): string => `
  import { openLog } from ${JSON.stringify(new URL("../src/log.ts", import.meta.url).href)};
  const log = openLog({ file: ${JSON.stringify(file)} });
  for (let n = 0; n < 2_000; n++) log("error", "x".repeat(1_024), { n });
  process.exit(0);
`;

describe("the server's log", () => {
  test("holds each line as soon as it is said", () => {
    const file = join(folder, "deep", "server.log");
    const log = openLog({ file });
    log("warn", "A lane was yielded.", { lane: 3 });
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ level: 40, lane: 3, msg: "A lane was yielded." });
  });

  test("does not end the server when its lines cannot be written", async () => {
    const file = join(folder, "server.log");
    // No file of this process may grow beyond a few KiB, as on a disk that is full.
    const script = `trap '' XFSZ; ulimit -f 8; exec "$0" --input-type=module -e "$1"`;
    const child = spawn("sh", ["-c", script, process.execPath, unheard(file)], { stdio: ["ignore", "ignore", "pipe"] });
    const complaint = text(child.stderr);
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(await complaint).toBe("");
    expect(statSync(file).size).toBeLessThanOrEqual(8 * 1_024);
  });
});
