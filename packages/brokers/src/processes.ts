import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

/** Whether the process runs or could run again; one that has ended and that nobody asked for is gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return stateOf(pid) !== "Z";
}

export function childrenOf(pid: number): number[] {
  const found = readIf(`/proc/${pid}/task/${pid}/children`) ?? asked("pgrep", "-P", String(pid));
  return found.split(/\s+/).filter(Boolean).map(Number);
}

/** Tells a process from a later one with the same number: when it began. undefined: there is none. */
export function beginningOf(pid: number): string | undefined {
  if (!isAlive(pid)) return undefined;
  const stat = statOf(pid);
  return stat?.[19] ?? asked("ps", "-o", "lstart=", "-p", String(pid)).trim();
}

/** Sends a signal and takes it as done when the process is gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The process and its children, the parent first: once it stands still, it starts no others. */
export function stopped(pid: number): number[] {
  signal(pid, "SIGSTOP");
  return [pid, ...childrenOf(pid)];
}

/** SIGKILL to the process and its children, as when the power fails; resolves when all of them are gone. */
export async function killAll(pid: number): Promise<void> {
  const all = stopped(pid);
  for (const one of all) signal(one, "SIGKILL");
  if (await becomes(() => !all.some(isAlive), 20_000)) return;
  throw new Error(`Of the processes ${all.join(", ")} some live on 20 s after SIGKILL.`);
}

/** Resolves with whether it came true in the given time; asks every 15 ms. */
export async function becomes(isTrue: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> {
  const until = Date.now() + withinMs;
  while (!(await isTrue())) {
    if (Date.now() > until) return false;
    await setTimeout(15);
  }
  return true;
}

function stateOf(pid: number): string | undefined {
  return statOf(pid)?.[0];
}

/** The fields of Linux' /proc/PID/stat from the state on; the name before it may hold any character. */
function statOf(pid: number): string[] | undefined {
  return readIf(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
}

function readIf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function asked(program: string, ...args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}
