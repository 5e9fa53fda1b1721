// Fuzzes the HTTP interface from its own OpenAPI document: no answer may be a 5xx, and none may break the document.
// `--examples N` for each route, `--seconds N` at most, `--seed N` for those of a run before. Schemathesis comes from PyPI into a folder of its own; it needs Python 3.10 or newer, and nothing else.
import { startServer } from "@waybill/server";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const schemathesis = "schemathesis==4.32.5";
const cache = fileURLToPath(new URL("../node_modules/.cache/fuzz", import.meta.url));
const program = join(cache, "bin", "schemathesis");

const { values } = parseArgs({
  options: { examples: { type: "string", default: "50" }, seconds: { type: "string" }, seed: { type: "string" } },
});

if (!existsSync(program)) {
  execFileSync("python3", ["-m", "venv", cache], { stdio: "inherit" });
  execFileSync(join(cache, "bin", "pip"), ["install", "--quiet", schemathesis], { stdio: "inherit" });
}

const data = mkdtempSync(join(tmpdir(), "waybill-fuzz-"));
try {
  await using server = await startServer({ data, port: 0, log: "stderr", dispatchAfterMs: 100 });
  process.exitCode = await fuzz(server.url);
} finally {
  rmSync(data, { recursive: true, force: true });
}

/** Runs Schemathesis beside the server; resolves with what it exits with. */
async function fuzz(url: string): Promise<number> {
  const args = ["run", `${url}/openapi.json`, "--url", url, "--phases", "examples,coverage,fuzzing"];
  args.push("--max-examples", values.examples, "--request-timeout", "30", "--no-color");
  // One worker: the cache of Schemathesis 4.32 is not safe for more.
  // A stream of events has no end to wait for; a test of its own listens to it.
  args.push("--exclude-path-regex", "/events$");
  if (values.seconds !== undefined) args.push("--max-time", values.seconds);
  if (values.seed !== undefined) args.push("--seed", values.seed);
  const child = spawn(program, args, { cwd: data, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? 1)));
  let made = 0;
  let passed = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [, all, good] = /^ +(\d+) generated, (\d+) passed/.exec(line) ?? [];
    made = Number(all ?? made);
    passed = Number(good ?? passed);
    // Its last line counts warnings only, and reads as if nothing had been tested.
    if (!/^=+ .* in [\d.]+s =+$/.test(line)) process.stdout.write(`${line}\n`);
  }
  process.stdout.write(`${passed} passed, ${made - passed} failed\n`);
  return ended;
}
