import { execFile } from "node:child_process";
import { setInterval } from "node:timers/promises";
import { promisify } from "node:util";

/** The resident memory of one process of a program over its life: each start after a kill is a life of its own. */
export interface Life {
  readonly pid: number;
  /** When it was first and last looked at, in seconds since the beginning. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
  /** The middle value of its first tenth and of its last, and the most, in MiB. */
  readonly firstMiB: number;
  readonly lastMiB: number;
  readonly mostMiB: number;
}

/** Looks at processes now and then until it is ended. */
export interface Sizes {
  /** By the programs' names, what their processes took; the longest lives first. */
  end(): Promise<Readonly<Record<string, readonly Life[]>>>;
}

interface Look {
  readonly atMs: number;
  readonly mib: number;
}

const lookEveryMs = 1_000;
/** A life of fewer looks says nothing of how memory grows. */
const looksMin = 5;
const run = promisify(execFile);

/** `pidsOf` names the processes that run at a moment, by program. Works wherever there is `ps`. */
export function watchSizes(pidsOf: () => Readonly<Record<string, readonly number[]>>): Sizes {
  const stop = new AbortController();
  const lives = new Map<string, Map<number, Look[]>>();
  const beganMs = performance.now();

  async function look(): Promise<void> {
    const programs = Object.entries(pidsOf());
    const sizes = await residentMiB(programs.flatMap(([, pids]) => pids));
    for (const [program, pids] of programs) {
      for (const pid of pids) note(program, pid, sizes.get(pid));
    }
  }

  function note(program: string, pid: number, mib: number | undefined): void {
    if (mib === undefined) return;
    const byPid = lives.get(program) ?? new Map<number, Look[]>();
    lives.set(program, byPid);
    const looks = byPid.get(pid) ?? [];
    byPid.set(pid, looks);
    looks.push({ atMs: performance.now() - beganMs, mib });
  }

  const looking = (async () => {
    for await (const _ of setInterval(lookEveryMs, undefined, { signal: stop.signal })) await look();
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return {
    async end() {
      stop.abort();
      await looking;
      return Object.fromEntries(Array.from(lives, ([program, byPid]) => [program, longestFirst(byPid)]));
    },
  };
}

function longestFirst(byPid: ReadonlyMap<number, readonly Look[]>): Life[] {
  const known = Array.from(byPid).filter(([, looks]) => looks.length >= looksMin);
  return known
    .map(([pid, looks]) => lifeOf(pid, looks))
    .toSorted((a, b) => b.toSeconds - b.fromSeconds - (a.toSeconds - a.fromSeconds));
}

/** What a process' looks say. */
export function lifeOf(pid: number, looks: readonly Look[]): Life {
  const tenth = Math.ceil(looks.length / 10);
  const middle = (part: readonly Look[]): number =>
    part.map(({ mib }) => mib).toSorted((a, b) => a - b)[part.length >> 1]!;
  return {
    pid,
    fromSeconds: Math.round(looks[0]!.atMs / 1_000),
    toSeconds: Math.round(looks.at(-1)!.atMs / 1_000),
    firstMiB: middle(looks.slice(0, tenth)),
    lastMiB: middle(looks.slice(-tenth)),
    mostMiB: Math.max(...looks.map(({ mib }) => mib)),
  };
}

/** Resident memory of those of the processes that there are. */
async function residentMiB(pids: readonly number[]): Promise<ReadonlyMap<number, number>> {
  if (pids.length === 0) return new Map();
  // It exits with 1 when one of them has ended, and tells of the others.
  const { stdout } = await run("ps", ["-o", "pid=,rss=", "-p", pids.join(",")]).catch((error: { stdout?: string }) => ({
    stdout: error.stdout ?? "",
  }));
  const rows = stdout.trim().split("\n").filter(Boolean);
  return new Map(
    rows.map((row) => {
      const [pid, kib] = row.trim().split(/\s+/).map(Number);
      return [pid!, Math.round(kib! / 1_024)];
    }),
  );
}
