import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Tool } from "@waybill/brokers";

const run = promisify(execFile);

type Environment = Readonly<Record<string, string>>;

/** What a program that ends by itself says. An error has what it said instead. */
export async function output({ program, args }: Tool, more: readonly string[], env: Environment = {}): Promise<string> {
  const { stdout } = await run(program, [...args, ...more], { env: { ...process.env, ...env }, timeout: 60_000 });
  return stdout;
}

/**
 * Starts a program that writes lines without end, and resolves with them once one of them fits; the program is ended then.
 * Rejects with its errors when it ends before.
 */
export async function linesUntil(
  { program, args }: Tool,
  more: readonly string[],
  env: Environment,
  fits: (line: string) => boolean,
): Promise<readonly string[]> {
  const child = spawn(program, [...args, ...more], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const lines: string[] = [];
  try {
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (fits(line)) return lines;
    }
    throw new Error(`${program} ended after ${lines.length} lines: ${errors}`);
  } finally {
    await ended(child);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "close");
}

/** A CloudEvent in JSON, as the examples print it. */
export interface CloudEvent {
  readonly specversion: string;
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: string;
  readonly data: { readonly orderId: string };
}
