import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isAlive } from "../../src/shop/found.ts";
import { invoiceLines } from "../../src/replay/lines.ts";
import { sampleFile } from "../../src/replay/sample.ts";
import { header } from "../replay/files.ts";

const launcher = fileURLToPath(new URL("../../bin/waybill.js", import.meta.url));

export interface Ended {
  /** What the shell would show; undefined when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
}

interface LaunchOptions {
  readonly cwd?: string;
  readonly node?: readonly string[];
  /** In addition to the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the program as a user does, through its launcher. */
export function launch(args: readonly string[], options: LaunchOptions = {}): Program {
  const child = spawn(process.execPath, [...(options.node ?? []), launcher, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (more: string) => (text[stream] += more));
  }
  const ended = new Promise<Ended>((resolve) => child.once("close", (code) => resolve({ code, ...text })));
  return {
    pid: child.pid!,
    ended,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    kill: (signal) => void child.kill(signal),
  };
}

export function waybill(...args: readonly string[]): Promise<Ended> {
  return launch(args).ended;
}

/** Runs a body with a folder of its own that is gone afterwards. */
export async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-cli-"));
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Waits until something holds; the test's own time limit ends it if it never does. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await pause(20);
}

export async function untilGone(pid: number): Promise<void> {
  await until(() => !isAlive(pid));
}

/** The first lines of the sample as a file of their own. */
export async function cutOfSample(folder: string, lines: number): Promise<string> {
  const rows = [header];
  for await (const line of invoiceLines(sampleFile)) {
    const { lineNo, invoice, sku, description, quantity, ts, unitPrice, customerId, country } = line;
    const quoted = `"${description.replaceAll('"', '""')}"`;
    rows.push([lineNo, invoice, sku, quoted, quantity, ts, unitPrice, customerId, country].join(","));
    if (rows.length > lines) break;
  }
  const file = join(folder, "cut.csv");
  await writeFile(file, `${rows.join("\n")}\n`);
  return file;
}
