import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

const program = createRequire(import.meta.url).resolve("@waybill/cli");
const startWithinMs = 60_000;
/** Longer than any fault keeps the disk full. */
const fullDiskMsMax = 10_000;
/** The heap that this process was given, which is the one that `waybill start` would have. */
const heap = process.execArgv.filter((option) => /^--max-(semi|old)-space-size=/.test(option));

/** The shop's own program in a process of its own. */
export interface ShopProcess {
  readonly url: string;
  readonly pid: number;
  /** Aborted, with what it complained of, when it ends without having been told to. */
  readonly fallen: AbortSignal;
  /** Sends a signal without waiting for what it does. */
  signal(signal: NodeJS.Signals): void;
  /** Sends a signal that ends it, and waits for the end; the exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | string>;
}

/** Runs `waybill start` with these options until it is ready. Rejects with what it complained of. */
export async function startShop(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ShopProcess> {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", ...heap, program, "start", "--json", ...args],
    {
      env: { ...process.env, ...env },
      // With a channel to this process it ends when this process does, however that ends.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    },
  );
  child.channel?.unref();
  let complaint = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-4_000)));
  const ended = once(child, "close") as Promise<[number | null, string | null]>;
  const url = await readyAt(child).catch(async () => {
    child.kill("SIGKILL");
    const [code, by] = await ended;
    throw new Error(`The shop did not start (${code ?? by}): ${complaint.trim()}`);
  });
  child.stdout!.resume();
  const fallen = new AbortController();
  let isToldToEnd = false;
  void ended.then(([code, by]) => {
    if (!isToldToEnd) fallen.abort(new Error(`The shop ended by itself (${code ?? by}): ${complaint.trim()}`));
  });
  return {
    url,
    pid: child.pid!,
    fallen: fallen.signal,
    signal: (signal) => void child.kill(signal),
    async end(signal) {
      isToldToEnd = true;
      child.kill(signal);
      // A process that is held does not hear of anything but SIGKILL.
      child.kill("SIGCONT");
      const [code, by] = await ended;
      return code ?? by ?? "nothing";
    },
  };
}

/** Runs it as a supervisor does: one that finds its disk full is started again, for a while. */
export async function restartShop(args: readonly string[], env: NodeJS.ProcessEnv): Promise<ShopProcess> {
  const untilMs = performance.now() + fullDiskMsMax;
  for (;;) {
    try {
      return await startShop(args, env);
    } catch (error) {
      if (performance.now() > untilMs || !/no space left|disk is full/.test((error as Error).message)) throw error;
      await pause(200);
    }
  }
}

async function readyAt({ stdout }: ChildProcess): Promise<string> {
  const signal = AbortSignal.timeout(startWithinMs);
  for await (const line of createInterface({ input: stdout!, signal })) {
    const { url } = JSON.parse(line) as { url?: unknown };
    if (typeof url === "string") return url;
  }
  throw new Error("It said nothing.");
}
