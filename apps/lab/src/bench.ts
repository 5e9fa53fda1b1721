// `npm run bench`: measures the embedded shop beside the raw bound and prints a table; see --help.
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { growthReport } from "./growth/report.ts";
import { growth } from "./growth/run.ts";
import { apiRows } from "./api/rows.ts";
import type { Alone } from "./measures/alone.ts";
import type { Audited } from "./measures/audit.ts";
import type { Api } from "./measures/api.ts";
import type { Idle } from "./measures/idle.ts";
import type { Memory } from "./measures/memory.ts";
import type { Throughput } from "./measures/throughput.ts";
import type { Spent } from "./profile.ts";
import { ms, rate, table, type Row } from "./table.ts";

const help = `Usage: npm run bench -- [options]

Measures the embedded shop on this machine, each measurement in a process of its own, interleaved with the same commits
written straight to SQLite. Takes about 20 minutes; with --quick about 2.

  --quick           short runs: a look, not a result
  --growth          instead of these: what a message costs, and memory, as log and products grow; takes about 8 minutes
  --only NAMES      some of throughput,hot,gateway,api,alone,memory,idle,retail,profile (comma-separated), or audit,
                    which is measured only when it is named: it places a million orders first (20,000 with --quick), in a
                    quarter of an hour and 9 GB
  --keep DIR        for "audit": where the data folder is made and kept for the next time; one that is there is used as it is
  --retail FILE     the whole Online Retail file, for "retail"; without it the sample month is played
  --base DIR        where the data is written while measuring (default .bench)
  --out FILE        where the figures are written as JSON (default .bench/bench.json, or growth.json; the plot goes beside it)
  --help            this text
`;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    growth: { type: "boolean", default: false },
    only: { type: "string" },
    retail: { type: "string", default: "sample" },
    base: { type: "string", default: ".bench" },
    keep: { type: "string" },
    out: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}

const base = resolve(values.base);
mkdirSync(base, { recursive: true });
const wanted = values.only?.split(",");
const wants = (name: string) => wanted === undefined || wanted.includes(name);
const quick = values.quick;
const run = promisify(execFile);

if (values.growth) {
  const report = growthReport(await growth({ base, quick }));
  const out = values.out ?? join(base, "growth.json");
  const plot = `${out.replace(/\.json$/, "")}.svg`;
  writeFileSync(out, `${JSON.stringify({ ...machine(), quick, ...report.figures }, undefined, 2)}\n`);
  writeFileSync(plot, report.svg);
  process.stdout.write(`${table(report.rows)}\n\nAll figures: ${out}\nThe plot: ${plot}\n`);
  process.exit(0);
}

/** Runs one measurement in a process of its own. */
async function measure<T>(name: string, options: Record<string, unknown>, flags: readonly string[] = []): Promise<T> {
  process.stderr.write(`measuring ${name} …\n`);
  const script = fileURLToPath(new URL("run-measure.ts", import.meta.url));
  // The heap settings of this process, which are those of a shop that is started; later flags go before.
  const args = [...process.execArgv, ...flags, script, name, JSON.stringify({ base, ...options })];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 67_108_864 });
  return JSON.parse(stdout) as T;
}

/** The whole file, or the sample, through \`waybill replay\`; its own report is the result. */
async function retail(): Promise<Record<string, unknown>> {
  process.stderr.write("measuring retail …\n");
  const script = fileURLToPath(import.meta.resolve("@waybill/cli"));
  const report = join(base, "replay.json");
  const data = join(base, "replay");
  rmSync(data, { recursive: true, force: true });
  const args = [
    "--disable-warning=ExperimentalWarning",
    script,
    "replay",
    values.retail,
    "--data",
    data,
    "--report",
    report,
  ];
  await run(process.execPath, args, { maxBuffer: 67_108_864 });
  rmSync(data, { recursive: true, force: true });
  return JSON.parse(readFileSync(report, "utf8")) as Record<string, unknown>;
}

/** What Node does with a heap that it may let grow. */
const roomyHeap = ["--max-semi-space-size=64", "--max-old-space-size=4096"];

const rows: Row[] = [];
const figures: Record<string, unknown> = { ...machine(), quick };

if (wants("throughput")) {
  const lean: Throughput[] = [];
  const roomy: Throughput[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    lean.push(await measure<Throughput>("throughput", { seconds: quick ? 5 : 30, inFlight: 2_000 }));
    roomy.push(await measure<Throughput>("throughput", { seconds: quick ? 5 : 20, inFlight: 2_000 }, roomyHeap));
  }
  figures.throughput = { lean, roomy };
  const typical = median(lean, (one) => one.ordersPerSecond);
  const large = median(roomy, (one) => one.ordersPerSecond);
  rows.push(
    [
      "orders placed → completed, payment in process",
      rate(typical.ordersPerSecond),
      "≥ 5,000/s",
      typical.ordersPerSecond >= 5_000,
    ],
    ["  with a large heap (NODE_OPTIONS=--max-semi-space-size=64)", rate(large.ordersPerSecond), "", undefined],
    ["  messages an order", typical.messagesPerOrder.toFixed(1), "≥ 7", typical.messagesPerOrder >= 7],
    ["  p50 / p99 with 2,000 under way", ms(typical.latencyMs), "", undefined],
    [
      "  time ÷ the same commits and bytes straight in SQLite",
      `${(typical.seconds / typical.rawSeconds).toFixed(1)} ×`,
      "",
      undefined,
    ],
    [
      "  orders a commit; bytes an order",
      `${(typical.orders / typical.waves).toFixed(0)}; ${(typical.bytes / typical.orders).toFixed(0)}`,
      "",
      undefined,
    ],
    [
      "  processor time an order, all threads / main",
      `${typical.cpuMicrosPerOrder.toFixed(0)} / ${typical.mainMicrosPerOrder.toFixed(0)} µs`,
      "",
      undefined,
    ],
  );
}
if (wants("hot")) {
  const seconds = quick ? 4 : 10;
  const ratios: number[] = [];
  const pairs: { spread: number; hot: number }[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    const spread = await measure<Throughput>("spread", { seconds, inFlight: 2_000 });
    const hot = await measure<Throughput>("hot", { seconds, inFlight: 2_000 });
    pairs.push({ spread: spread.ordersPerSecond, hot: hot.ordersPerSecond });
    ratios.push(hot.ordersPerSecond / spread.ordersPerSecond);
  }
  figures.hot = pairs;
  const ratio = median(ratios, (one) => one);
  rows.push(["one hot SKU in every order ÷ spread SKUs", ratio.toFixed(2), "≥ 1.0", ratio >= 1]);
}
if (wants("gateway")) {
  const result = await measure<Throughput>("gateway", { seconds: quick ? 5 : 20, inFlight: 1_000 });
  figures.gateway = result;
  const { ordersPerSecond } = result;
  rows.push([
    "the same through the sandbox gateway over HTTP",
    rate(ordersPerSecond),
    "≥ 1,000/s",
    ordersPerSecond >= 1_000,
  ]);
}
if (wants("api")) {
  const result = await measure<Api>("api", { quick });
  figures.api = result;
  rows.push(...apiRows(result));
}
if (wants("alone")) {
  const result = await measure<Alone>("alone", { orders: quick ? 200 : 1_000 });
  figures.alone = result;
  const { confirmedMs, fsyncsToConfirmed, diskFsyncMs } = result;
  const ratio = confirmedMs.p50 / diskFsyncMs.p50;
  rows.push(
    ["one order alone, placed → confirmed, p50 / p99", ms(confirmedMs), "", undefined],
    [
      "  p50 ÷ the disk's fsync in the same run",
      `${ratio.toFixed(1)} × ${diskFsyncMs.p50.toFixed(2)} ms`,
      "≤ 5 ×",
      ratio <= 5,
    ],
    [
      "  fsyncs, median / most",
      `${fsyncsToConfirmed.median} / ${fsyncsToConfirmed.max}`,
      "≤ 3",
      fsyncsToConfirmed.median <= 3,
    ],
  );
}
if (wants("memory")) {
  const orders = quick ? 20_000 : 1_000_000;
  const result = await measure<Memory>("memory", { orders, inFlight: 256 }, ["--expose-gc"]);
  figures.memory = result;
  const most = Math.max(...result.rssMiB);
  rows.push(
    [
      `memory after ${result.orders.toLocaleString("en")} orders, retention on`,
      `${result.rssMiB.at(-1)} MiB`,
      "≤ 250 MiB",
      most <= 250,
    ],
    ["  by tenths of the orders", result.rssMiB.join(" "), "flat", undefined],
    [
      "  data file at the end; orders/s over the whole run",
      `${result.fileMiB} MiB; ${rate(result.ordersPerSecond)}`,
      "",
      undefined,
    ],
  );
}
if (wants("idle")) {
  const result = await measure<Idle>("idle", { seconds: quick ? 5 : 30 });
  figures.idle = result;
  rows.push(
    ["an idle shop: writes", `${result.writesPerSecond.toFixed(2)}/s`, "≤ 1/s", result.writesPerSecond <= 1],
    ["  processor", `${result.cpuPercent.toFixed(2)} %`, "~0 %", result.cpuPercent < 1],
  );
}
if (wants("retail")) {
  const result = await retail();
  figures.retail = { file: values.retail, ...result };
  const perSecond = `${Number(result.ordersPerSecond).toFixed(0)} orders/s, ${Number(result.linesPerSecond).toFixed(0)} lines/s`;
  rows.push([`Online Retail (${values.retail.split("/").at(-1)}) at full speed`, perSecond, "report", undefined]);
}

if (wanted?.includes("audit") === true) {
  const folder = resolve(values.keep ?? join(base, `audit-${process.pid}`));
  await measure("audit-fill", { folder, orders: quick ? 20_000 : 1_000_000, inFlight: 2_000 }, roomyHeap);
  const result = await measure<Audited>("audit", { folder });
  if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
  figures.audit = result;
  rows.push(...auditRows(result));
}

process.stdout.write(`${table(rows)}\n`);
if (wants("profile")) {
  const top = await measure<readonly Spent[]>("profile", { seconds: quick ? 5 : 15, inFlight: 2_000 });
  figures.profile = top;
  process.stdout.write("\nWhere the main thread's time goes under full load (own time):\n");
  for (const { percent, where } of top) process.stdout.write(`  ${percent.toFixed(1).padStart(5)} %  ${where}\n`);
}
process.stdout.write(
  "\nThe same order process elsewhere on machines like this, each at its best setting: Restate 602 orders/s (one order\n" +
    "alone 14–17 ms), one transaction a message on PostgreSQL 250–650, DBOS 167 (18 ms), Temporal 32 (58 ms),\n" +
    "Vendure 13, Medusa 6.\n",
);
const out = values.out ?? join(base, "bench.json");
writeFileSync(out, `${JSON.stringify(figures, undefined, 2)}\n`);
process.stdout.write(`\nAll figures: ${out}\n`);

function auditRows({ orders, balanced, seconds, cpuSeconds, rssMiBMax, fileMiB, checked }: Audited): readonly Row[] {
  const what = `waybill audit of ${orders.toLocaleString("en")} orders, from the start of its process`;
  // Of fewer orders the bound says nothing.
  const isReached = orders < 1_000_000 ? undefined : balanced && seconds <= 30;
  return [
    [what, `${seconds.toFixed(1)} s`, "≤ 30 s", isReached],
    ["  whether the books balance", balanced ? "they do" : "they do NOT", "", undefined],
    ["  processor time of its threads", `${cpuSeconds.toFixed(1)} s`, "", undefined],
    ["  memory at most; the shop's file and the gateway's", `${rssMiBMax}; ${fileMiB} MiB`, "", undefined],
    ["  checked of laws 1 to 9", checked.map((count) => count.toLocaleString("en")).join(" "), "", undefined],
  ];
}

/** What the figures were taken on. */
function machine(): Record<string, unknown> {
  return {
    at: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}

function median<T>(list: readonly T[], of: (one: T) => number): T {
  return list.toSorted((a, b) => of(a) - of(b))[list.length >> 1]!;
}
