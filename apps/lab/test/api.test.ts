import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { load } from "../src/api/load.ts";
import { apiRows } from "../src/api/rows.ts";
import { startServer } from "../src/api/server.ts";
import { variants } from "../src/api/variants.ts";
import type { Turn } from "../src/measures/api.ts";
import { tryEdits } from "../src/mutants/patch.ts";
import { lifeOf } from "../src/torture/sizes.ts";

let base: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "waybill-lab-api-"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** How many orders a server knows. */
async function ordersOf(url: string): Promise<number> {
  const { orders } = (await (await fetch(`${url}/orders?limit=200`)).json()) as { orders: readonly unknown[] };
  return orders.length;
}

test("every variant of the server fits the sources as they are", () => {
  expect(variants.length).toBe(2);
  for (const variant of variants) expect(() => tryEdits(variant)).not.toThrow();
});

test("clients are answered alike, and only the real server keeps what they placed", { timeout: 120_000 }, async () => {
  const how = { skus: 20, connections: 4, seconds: 0.2, warmUpSeconds: 0, isKeyed: true };
  await using real = await startServer(base, "", 20);
  await using bare = await startServer(base, "answers-without-storing", 20);
  await using without = await startServer(base, "without-traces", 20);
  for (const [server, keeps] of [
    [real, true],
    [bare, false],
    [without, true],
  ] as const) {
    const { orders, statuses } = await load({ ...how, url: server.url, perSecond: 50 });
    expect(orders).toBe(10);
    expect(statuses).toEqual({ 202: 10 });
    await server.drained();
    expect(await ordersOf(server.url)).toBe(keeps ? 10 : 0);
    expect(await server.cpuSeconds()).toBeGreaterThan(0);
  }
});

test("rows say what is reached by the middle of the turns", () => {
  const turn = (acceptedPerSecond: number): Turn => ({
    orders: 1_000,
    wholeSeconds: 1,
    acceptedPerSecond,
    statuses: { 202: 999, 503: 1 },
    latencyMs: { p50: 1, p99: 2 },
    maxMs: 3,
    cores: 0.2,
    serverCores: 1,
    drainedSeconds: 1,
  });
  const rows = apiRows({
    storing: [turn(400), turn(300), turn(500)],
    keyed: [turn(200)],
    bare: [turn(1_000), turn(1_000), turn(1_000)],
    open: turn(1_000),
    traces: [
      { off: 104, without: 100 },
      { off: 101, without: 100 },
      { off: 90, without: 100 },
    ],
  });
  expect(rows).toContainEqual(["  accepted ÷ answered, in turns", "0.40", "≥ 0.35", true]);
  expect(rows).toContainEqual(["  not accepted; all done after", "1; 1.0 s", "", undefined]);
  expect(rows).toContainEqual(["  orders placed and done a second, until all were done", "500/s", "", undefined]);
  expect(rows.at(-1)).toEqual(["OpenTelemetry off ÷ not there, processor time an order", "1.0 % more", "≤ 3 %", true]);
});

test("a life's memory is told by its first tenth and its last", () => {
  const looks = Array.from({ length: 30 }, (_, n) => ({ atMs: n * 1_000, mib: 100 + n }));
  expect(lifeOf(7, looks)).toEqual({
    pid: 7,
    fromSeconds: 0,
    toSeconds: 29,
    firstMiB: 101,
    lastMiB: 128,
    mostMiB: 129,
  });
});
