// `npm run bench:brokers`: measures the shop on real servers beside their raw clients and prints a table; see --help.
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import type { Clients } from "./measures/clients.ts";
import type { OnBrokers } from "./measures/on-brokers.ts";
import { reportOf } from "./growth-on-brokers/report.ts";
import { growthOn } from "./growth-on-brokers/run.ts";
import { ms, rate, table, type Row } from "./table.ts";

const help = `Usage: npm run bench:brokers -- [options]

Measures the shop on NATS and on Kafka with PostgreSQL, servers that it starts on this machine itself, and appends beside
the brokers' own clients. Every commit and every append is on disk before it counts. Takes about 3 minutes.

  --seconds N       how long orders are placed for each engine (default 20)
  --in-flight N     orders under way at once (default 1000)
  --only NAMES      some of nats,kafka,nats-client,kafka-client (comma-separated)
  --growth          instead, what a message costs as the log and the products grow: about 3 minutes for each engine
  --quick           with --growth: smaller sizes, about 2 minutes
  --base DIR        where data is written while measuring (default .bench)
  --help            this text
`;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    "in-flight": { type: "string", default: "1000" },
    only: { type: "string" },
    growth: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    base: { type: "string", default: ".bench" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}

/** What the launcher gives a shop on brokers. */
const brokersHeap = ["--max-semi-space-size=64", "--max-old-space-size=1024"];

const base = resolve(values.base);
mkdirSync(base, { recursive: true });
const wanted = values.only?.split(",");
const wants = (name: string) => wanted === undefined || wanted.includes(name);
const run = promisify(execFile);

async function measure<T>(name: string, options: Record<string, unknown> = {}): Promise<T> {
  process.stderr.write(`measuring ${name} …\n`);
  const script = fileURLToPath(new URL("run-measure.ts", import.meta.url));
  const args = [...brokersHeap, script, name, JSON.stringify({ base, ...options })];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 67_108_864 });
  return JSON.parse(stdout) as T;
}

const rows: Row[] = [];
const figures: Record<string, unknown> = { at: new Date().toISOString(), node: process.version, cores: cpus().length };
const names = { nats: "NATS", kafka: "Kafka" };

async function grow(engine: "nats" | "kafka"): Promise<void> {
  process.stderr.write(`growing a shop on ${names[engine]} …\n`);
  const grown = await growthOn(engine, { base, quick: values.quick, nodeOptions: brokersHeap });
  const report = reportOf(engine, grown);
  rows.push(...report.rows);
  figures[engine] = grown;
  writeFileSync(join(base, `growth-${engine}.svg`), report.svg);
}

for (const engine of ["nats", "kafka"] as const) {
  if (values.growth) {
    if (wants(engine)) await grow(engine);
    continue;
  }
  if (wants(`${engine}-client`)) {
    const result = await measure<Clients>(`${engine}-client`);
    figures[`${engine}-client`] = result;
    const { ratio, ours } = result;
    rows.push([`append on ${names[engine]} ÷ its client, batches of 1,000`, ratio.toFixed(2), "≥ 0.8", ratio >= 0.8]);
    rows.push(["  messages a second", rate(ours), "", undefined]);
  }
  if (!wants(engine)) continue;
  const load = { seconds: Number(values.seconds), inFlight: Number(values["in-flight"]), orders: 300 };
  const result = await measure<OnBrokers>(engine, load);
  figures[engine] = result;
  const { ordersPerSecond, aloneMs, cpuMicrosPerOrder, latencyMs } = result;
  const what = `orders placed → completed, ${names[engine]} and PostgreSQL`;
  rows.push([what, rate(ordersPerSecond), "≥ 2,000/s", ordersPerSecond >= 2_000]);
  rows.push([`  p50 / p99 with ${load.inFlight} under way`, ms(latencyMs), "", undefined]);
  rows.push(["  processor time an order in the shop's process", `${cpuMicrosPerOrder.toFixed(0)} µs`, "", undefined]);
  const bound = engine === "nats" ? "p50 ≤ 25 ms" : "report";
  rows.push([
    "  one order alone, placed → confirmed, p50 / p99",
    ms(aloneMs),
    bound,
    engine === "nats" ? aloneMs.p50 <= 25 : undefined,
  ]);
}

process.stdout.write(`${table(rows)}\n`);
const out = join(base, values.growth ? "growth-on-brokers.json" : "bench-brokers.json");
writeFileSync(out, `${JSON.stringify(figures, undefined, 2)}\n`);
process.stdout.write(`\nAll figures: ${out}\n`);
