import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { embeddedEngine, realWorld } from "@waybill/server";
import { order } from "@waybill/orders";
import { fileName, readServerInfo } from "@waybill/store-sqlite";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exitCodes } from "../../src/exit.ts";
import { dryRun } from "../../src/replay/dry-run.ts";
import type { ReplayReport } from "../../src/replay/report.ts";
import { cutOfSample, launch, until, untilGone, waybill, withFolder, type Ended } from "./waybill.ts";

/** The orders of the first day and some of the second. */
const lines = 4_000;
const wait = 60_000;

/** What a report says of the business: everything but how fast it went. */
function business(report: ReplayReport): Partial<ReplayReport> {
  const { ordersPerSecond: _, linesPerSecond: _lines, latencyMs: _latency, ...rest } = report;
  return rest;
}

function reportOf({ code, stdout, stderr }: Ended): ReplayReport {
  expect(stderr).not.toContain("waybill:");
  expect(code).toBe(0);
  return JSON.parse(stdout) as ReplayReport;
}

/** How many orders the shop in a folder has finished by now; 0 when it is not there yet. */
async function finished(folder: string): Promise<number> {
  if (!existsSync(join(folder, fileName))) return 0;
  // While the file is being made it cannot be read.
  const opened = await embeddedEngine({ folder, world: realWorld(() => {}), readOnly: true }).catch(() => undefined);
  if (opened === undefined) return 0;
  await using engine = opened;
  const states = await engine.durable.states("orders", order, "", 1_000);
  return states.filter(({ value }) => value.status === "completed").length;
}

describe("waybill replay", () => {
  it(
    "goes on after kill -9, and ends with the report of a run that was left alone",
    () =>
      withFolder(async (folder) => {
        const file = await cutOfSample(folder, lines);
        const [calm, killed] = [join(folder, "calm"), join(folder, "killed")];
        const undisturbed = reportOf(await waybill("replay", file, "--data", calm, "--json"));
        expect(undisturbed).toMatchObject({ ok: true, ordersRejected: {}, source: "cut" });
        expect(undisturbed.ordersCompleted).toBeGreaterThan(150);

        // Slow enough to be met half-way.
        const first = launch(["replay", file, "--data", killed, "--speed", "20000x"]);
        await until(async () => (await finished(killed)) >= 40);
        const { pid } = readServerInfo(killed)!;
        first.kill("SIGKILL");
        await untilGone(pid);
        const before = await finished(killed);
        expect(before).toBeLessThan(undisturbed.ordersCompleted);

        const resumed = await waybill("replay", file, "--data", killed, "--json");
        expect(resumed.stderr).toContain("Going on in");
        expect(business(reportOf(resumed))).toEqual(business(undisturbed));

        // All is played: once more changes nothing, not even the pace.
        expect(reportOf(await waybill("replay", file, "--data", killed, "--json"))).toEqual(reportOf(resumed));
      }),
    wait,
  );

  it(
    "gives short stock out in the file's order, also across a stop, and so as one play after the other would",
    () =>
      withFolder(async (folder) => {
        const file = await cutOfSample(folder, lines);
        const data = join(folder, "short");
        const first = launch(["replay", file, "--data", data, "--stock", "0.8", "--speed", "20000x"]);
        await until(async () => (await finished(data)) >= 20);
        first.kill("SIGTERM");
        expect(await first.ended).toMatchObject({ code: 143, stderr: expect.stringContaining("goes on from here") });

        const report = reportOf(await waybill("replay", file, "--data", data, "--stock", "0.8", "--json"));
        const { checks: _, ...expected } = business(await dryRun(file, 0.8));
        expect(report).toMatchObject(JSON.parse(JSON.stringify(expected)));
        expect(report.ordersRejected["out-of-stock"]).toBeGreaterThan(0);

        const other = await waybill("replay", file, "--data", data, "--stock", "exact");
        expect(other).toMatchObject({ code: exitCodes.usage.code, stdout: "" });
        expect(other.stderr).toContain("holds a replay of --stock 0.8, not exact");
      }),
    wait,
  );

  it(
    "exits with 1 when the answers of a reference differ, and begins anew when it is told to",
    () =>
      withFolder(async (folder) => {
        const file = await cutOfSample(folder, 300);
        const [data, reference, written] = ["data", "reference.json", "out/report.json"].map((name) =>
          join(folder, name),
        );
        const empty = {
          counts: { orders: 0, sale_lines: 0 },
          revenue_per_month: {},
          orders_by_country: {},
          units_per_sku: { skus: {} },
          units_totals: { units_sold: 0 },
          top20_units_gross: [],
          top20_revenue_gross: [],
        };
        await writeFile(reference!, JSON.stringify(empty));
        const args = ["replay", file, "--data", data!, "--reference", reference!, "--report", written!];
        const { code, stdout } = await waybill(...args);
        expect(code).toBe(exitCodes.failed.code);
        expect(stdout).toContain("answers differ from the reference");
        expect(stdout).toContain("Everything adds up.");
        const report = JSON.parse(await readFile(written!, "utf8")) as ReplayReport & { comparison: object };
        expect(report).toMatchObject({ ok: true, comparison: { differences: expect.any(Array) } });

        const fresh = await waybill("replay", file, "--data", data!, "--stock", "ample", "--fresh", "--json");
        expect(fresh.stderr).toContain("Beginning in");
        expect(reportOf(fresh)).toMatchObject({ stock: "ample", ordersCompleted: report.ordersCompleted });
      }),
    wait,
  );

  it("refuses a folder that is not a replay's, and files that are no invoices", () =>
    withFolder(async (folder) => {
      const file = join(folder, "notes.csv");
      await writeFile(file, "what,ever\n1,2\n");
      const invalid = await waybill("replay", file);
      expect(invalid.code).toBe(exitCodes.data.code);
      const cut = await cutOfSample(folder, 10);
      const foreign = await waybill("replay", cut, "--data", folder, "--fresh");
      expect(foreign.code).toBe(exitCodes.usage.code);
      expect(foreign.stderr).toContain("files that are not a replay's");
      expect(existsSync(cut)).toBe(true);
      const missing = await waybill("replay", join(folder, "nothing.csv"));
      expect(missing.code).toBe(exitCodes.data.code);
      for (const { stderr } of [invalid, foreign, missing]) expect(stderr).not.toMatch(/^ {4}at /m);
    }));
});
