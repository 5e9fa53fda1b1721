import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { TortureReport } from "../apps/lab/src/torture/run.ts";

const program = fileURLToPath(new URL("../apps/lab/src/torture.ts", import.meta.url));

/** Runs the torture as `npm run torture` does. */
function torture(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

test("a shop that is tortured for a moment keeps its word and its books", { timeout: 300_000 }, async () => {
  const seed = String(process.env["WAYBILL_SEED"] ?? Date.now() % 1_000_000);
  const { code, stdout, stderr } = await torture("--minutes", "0.15", "--seed", seed, "--rate", "40", "--json");
  process.stdout.write(stderr);
  const report = JSON.parse(stdout) as TortureReport;
  expect(report, `WAYBILL_SEED=${seed}`).toMatchObject({ breaches: [], disagreements: [], ok: true });
  expect(code).toBe(0);
  expect(Object.values(report.faults).reduce((sum, times) => sum + times, 0)).toBeGreaterThan(0);
  expect(report.orders).toBeGreaterThan(20);
  expect(report.recoveryMs.count).toBeGreaterThan(0);
});

test("a command line that says nothing sensible is refused in a sentence", async () => {
  expect(await torture("--minutes", "soon")).toMatchObject({ code: 2, stderr: expect.stringContaining("--minutes") });
  expect(await torture("--engine", "paper")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("there are embedded"),
  });
});
