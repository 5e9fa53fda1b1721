import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { brokers, type Deployment } from "./server/deployment.ts";

const program = fileURLToPath(new URL("../apps/cli/bin/waybill.js", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function waybill(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: 67_108_864 };
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

interface Report {
  readonly ok: boolean;
  readonly ordersCompleted: number;
}

describe.each(["nats", "kafka", "hybrid"] as const)("the commands on %s", (engine) => {
  const data = mkdtempSync(join(tmpdir(), "waybill-commands-"));
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await brokers(engine);
  });
  afterAll(async () => {
    await deployment?.[Symbol.asyncDispose]();
    rmSync(data, { recursive: true, force: true });
  });

  test("a shop starts only on a database that is prepared", async () => {
    const env = { ...deployment.env, WAYBILL_POSTGRES_SCHEMA: `${deployment.env["WAYBILL_POSTGRES_SCHEMA"]}_new` };
    const refused = await waybill(env, "start", "--data", data, "--port", "0");
    expect(refused.code).toBe(69);
    expect(refused.stderr).toContain("waybill migrate");
    expect((await waybill(env, "migrate", "--status")).stdout).toContain("To do in shop_");
    const { from, applied } = JSON.parse((await waybill(env, "migrate", "--json")).stdout) as {
      from: number;
      applied: string[];
    };
    expect([from, applied.length > 0]).toEqual([0, true]);
    expect((await waybill(env, "migrate", "--status")).stdout).toContain("is up to date");
  });

  test("a month of real orders adds up, and can be looked at", { timeout: 600_000 }, async () => {
    const replayed = await waybill(deployment.env, "replay", "sample", "--data", join(data, "replay"), "--json");
    expect(replayed.stderr).not.toContain("waybill:");
    expect(JSON.parse(replayed.stdout) as Report).toMatchObject({ ok: true, ordersCompleted: 1_559 });
    const again = await waybill(deployment.env, "replay", "sample", "--data", join(data, "replay"), "--json");
    expect(again.stderr).toContain("Going on in");
    expect(JSON.parse(again.stdout) as Report).toMatchObject({ ok: true, ordersCompleted: 1_559 });

    const lanes = await waybill(deployment.env, "lanes", "--json");
    const { running, lanes: views } = JSON.parse(lanes.stdout) as {
      running: boolean;
      lanes: readonly { topics: readonly { lagMessages: number }[] }[];
    };
    expect([running, views.length]).toEqual([false, 3 + 4 * 4]);
    expect(views.flatMap(({ topics }) => topics).every(({ lagMessages }) => lagMessages === 0)).toBe(true);

    const elsewhere = await waybill(deployment.env, "replay", "sample", "--data", join(data, "other"));
    expect([elsewhere.code, elsewhere.stderr]).toEqual([
      2,
      expect.stringContaining("The database holds a shop already"),
    ]);
  });
});
