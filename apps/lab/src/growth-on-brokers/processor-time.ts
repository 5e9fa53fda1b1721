import { readdirSync, readFileSync } from "node:fs";

/** Linux counts in hundredths of a second whatever its kernel's own clock is. */
const ticksPerSecond = 100;

/** Where the fields of /proc/PID/stat that are wanted stand behind the program's name. */
const field = { parent: 1, own: [11, 12], ended: [13, 14] } as const;

/**
 * Processor time so far, in seconds, of this process, of servers and of their children, also those that have ended.
 * Throws where the system has no /proc.
 */
export function processorSeconds(servers: readonly number[]): number {
  const { user, system } = process.cpuUsage();
  const ticks = servers.reduce((sum, pid) => sum + ticksOf(pid), 0);
  return (user + system) / 1e6 + ticks / ticksPerSecond;
}

function ticksOf(server: number): number {
  let ticks = 0;
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!(pid > 0)) continue;
    const stat = statOf(pid);
    if (pid === server) ticks += sum(stat, [...field.own, ...field.ended]);
    else if (stat[field.parent] === server) ticks += sum(stat, field.own);
  }
  return ticks;
}

/** Empty for a process that has ended meanwhile. */
function statOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
  } catch {
    return [];
  }
}

function sum(stat: readonly number[], fields: readonly number[]): number {
  return fields.reduce((all, at) => all + (stat[at] ?? 0), 0);
}
