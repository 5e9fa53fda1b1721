import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";

export interface GatewayChildOptions {
  /** The folder of the gateway's ledger. */
  readonly data: string;
  /** 0 takes a free one, which it keeps when it is started again. Default 0. */
  readonly port?: number;
  readonly host?: string;
  /** The seed of the gateway's faults. */
  readonly seed?: number;
  /** More of the program's own options: `["--authorisation-ttl-ms", "1000"]`. */
  readonly args?: readonly string[];
  readonly startWithinMs?: number;
  readonly stopWithinMs?: number;
  /** Told when the program died, was started again, or could not be. Default: nobody. */
  readonly log?: (text: string, facts: Readonly<Record<string, unknown>>) => void;
}

export interface GatewayChild extends AsyncDisposable {
  /** The same for as long as it lives, whatever dies meanwhile. */
  readonly url: string;
  /** The process that runs now; undefined between one and the next. */
  readonly pid: number | undefined;
  /** Ends the program, with force if it takes too long, and starts it no more. */
  close(): Promise<void>;
}

interface Running {
  readonly process: ChildProcess;
  /** Resolves when the process has ended and all that it wrote was read. */
  readonly ended: Promise<void>;
  /** The end of what it wrote to standard error. */
  readonly complaint: () => string;
}

interface Listening extends Running {
  readonly url: string;
}

const program = createRequire(import.meta.url).resolve("@waybill/gateway/main");
const complaintCharactersMax = 2_000;
const pauseMsMin = 100;
const pauseMsMax = 5_000;

/**
 * Runs the sandbox gateway as a process of its own: waits until it listens, starts it again at the same address if it
 * dies. It ends with this process, even a killed one. Rejects, with what the program complained of, if it does not start.
 */
export async function startGateway(options: GatewayChildOptions): Promise<GatewayChild> {
  const { log = () => undefined, stopWithinMs = 5_000 } = options;
  const closing = new AbortController();
  const first = await start(options, options.port ?? 0, closing.signal);
  let running: Listening | undefined = first;
  const kept = keepRunning(first);
  let closed: Promise<void> | undefined;

  async function keepRunning(from: Listening): Promise<void> {
    const port = Number(new URL(from.url).port);
    while (running !== undefined) {
      const { process: dead, ended, complaint } = running;
      await ended;
      running = undefined;
      if (closing.signal.aborted) return;
      const { exitCode: code, signalCode: signal } = dead;
      log("the payment gateway died and is started again", {
        code,
        signal,
        complaint: complaint(),
      });
      running = await startAgain(port);
    }
  }

  /** Tries until it runs; undefined when closed meanwhile. */
  async function startAgain(port: number): Promise<Listening | undefined> {
    for (let pauseMs = pauseMsMin; !closing.signal.aborted; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
      try {
        return await start(options, port, closing.signal);
      } catch (error) {
        log("the payment gateway does not start", { error: String(error), nextInMs: pauseMs });
        await wait(pauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  async function end(): Promise<void> {
    closing.abort();
    if (running !== undefined) await stop(running, stopWithinMs);
    await kept;
  }
  const close = () => (closed ??= end());

  return {
    url: first.url,
    get pid() {
      return running?.process.pid;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Starts the program and waits for the line in which it says where it listens. */
async function start(options: GatewayChildOptions, port: number, closing: AbortSignal): Promise<Listening> {
  const launched = launch(argumentsOf(options, port));
  const limit = AbortSignal.any([closing, AbortSignal.timeout(options.startWithinMs ?? 10_000)]);
  try {
    const url = await addressFrom(launched.process, limit);
    launched.process.stdout?.resume();
    return { ...launched, url };
  } catch (error) {
    await stop(launched, 0);
    throw new Error(`The payment gateway did not start. ${launched.complaint() || String(error)}`, {
      cause: error,
    });
  }
}

function launch(args: readonly string[]): Running {
  // In a group of its own: Ctrl-C in a terminal is for this process, which ends the program when it is done with it.
  const child = spawn(process.execPath, args, {
    stdio: ["pipe", "pipe", "pipe"],
    detached: process.platform !== "win32",
  });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (more: string) => {
    text = (text + more).slice(-complaintCharactersMax);
  });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.on("error", (error) => {
      text = String(error);
      if (child.pid === undefined) resolve();
    });
  });
  return { process: child, ended, complaint: () => text.trim() };
}

function argumentsOf(options: GatewayChildOptions, port: number): string[] {
  const args = [program, "--child", "--data", options.data, "--port", String(port)];
  if (options.host !== undefined) args.push("--host", options.host);
  if (options.seed !== undefined) args.push("--seed", String(options.seed));
  return [...args, ...(options.args ?? [])];
}

async function addressFrom(child: ChildProcess, signal: AbortSignal): Promise<string> {
  if (child.stdout === null) throw new Error("It has no standard output.");
  for await (const line of createInterface({ input: child.stdout, signal })) {
    const { url } = JSON.parse(line) as { url?: unknown };
    if (typeof url === "string") return url;
  }
  throw new Error(signal.aborted ? "It took too long." : "It ended before it listened.");
}

/** Asks the process to end, and ends it after `withinMs`. */
async function stop({ process: child, ended }: Running, withinMs: number): Promise<void> {
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), withinMs);
  await ended;
  clearTimeout(force);
}
