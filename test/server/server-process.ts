import type { ServerOptions } from "@waybill/server";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("serve.ts", import.meta.url));

/** A server in a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  /** Empty for a process without an HTTP interface. */
  readonly url: string;
  /** Empty for a process that calls none. */
  readonly gatewayUrl: string;
  readonly pid: number;
  /** Everything that it printed until it was ready, by line. */
  readonly printed: readonly string[];
  /** Sends a signal and waits for the end; the exit code, or the signal that ended it. */
  end(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<number | string>;
  /** Holds the process where it is, or lets it go on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

/** Starts the server and waits until it is ready. Rejects with what it complained of when it ends instead. */
export async function serve(options: ServerOptions): Promise<ServerProcess> {
  return serveBy(process.execPath, ["--disable-warning=ExperimentalWarning", program, JSON.stringify(options)]);
}

/** The same with another command line. */
export async function serveBy(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-4_000)));
  const ended = once(child, "close") as Promise<[number | null, string | null]>;
  const printed = await printedUntilReady(child);
  const [url = "", gatewayUrl = ""] = [urlIn(printed, "The shop is open at"), urlIn(printed, "  gateway")];
  if (!printed.some(isLast)) {
    await ended;
    throw new Error(`The server did not start: ${complaint.trim()}`);
  }
  child.stdout.resume();
  const end = async (signal: NodeJS.Signals): Promise<number | string> => {
    child.kill(signal);
    const [code, by] = await ended;
    return code ?? by ?? "nothing";
  };
  return {
    url,
    gatewayUrl,
    pid: child.pid!,
    printed,
    end,
    signal: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await end("SIGKILL");
    },
  };
}

function isLast(line: string): boolean {
  return line.startsWith("Ctrl-C ends it");
}

async function printedUntilReady({ stdout }: ChildProcess): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stdout! })) {
    lines.push(line);
    if (isLast(line)) break;
  }
  return lines;
}

function urlIn(lines: readonly string[], start: string): string | undefined {
  const line = lines.find((one) => one.startsWith(start));
  return line === undefined ? undefined : /https?:\/\/[^\s/]+/.exec(line)?.[0];
}
