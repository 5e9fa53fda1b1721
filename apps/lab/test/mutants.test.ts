import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { mutants } from "../src/mutants/list.ts";
import { edited, tryEdits } from "../src/mutants/patch.ts";

const run = promisify(execFile);
const script = fileURLToPath(new URL("../src/mutants/hunt.ts", import.meta.url));

/** Runs seed 1 with a bug switched on. */
async function hunted(name: string): Promise<{ seeds: number; error?: string }> {
  const { stdout } = await run(process.execPath, [script, name, "1", "1"]);
  return JSON.parse(stdout) as { seeds: number; error?: string };
}

test("every mutant fits the sources as they are", () => {
  expect(mutants.length).toBeGreaterThanOrEqual(25);
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  for (const mutant of mutants) expect(() => tryEdits(mutant)).not.toThrow();
});

test("one that no longer fits says so", () => {
  const mutant = { name: "gone", bug: "", edits: [{ file: "a.ts", find: "was here", replace: "" }] };
  expect(() => edited(mutant, mutant.edits, "it is not")).toThrow(
    'Mutant "gone": its text stands 0 times in a.ts, not once.',
  );
  expect(() => edited(mutant, mutant.edits, "was here, was here")).toThrow("stands 2 times");
  expect(edited(mutant, mutant.edits, "it was here.")).toBe("it .");
});

test("a bug is switched on in the process that hunts for it, and nowhere else", { timeout: 120_000 }, async () => {
  expect((await hunted("chain-broken-at-claim")).error).toContain("names 0, not");
  expect(await hunted("none")).toEqual({ seeds: 1 });
});
