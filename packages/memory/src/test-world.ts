import { WaybillError, type World } from "@waybill/messaging";

const dayMs = 86_400_000;
const linesMax = 1_000;
const roundsMax = 10_000;

/** A line that was logged. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}

/** A world whose clock stands still until it is told, and whose chance comes from a seed: the same run, every time. */
export interface TestWorld extends World {
  /** The last thousand lines that were logged. */
  readonly lines: readonly LogLine[];
  /** How many sleepers there are. */
  sleepers(): number;
  /** Lets time pass, waking each sleeper at its own time and letting it go on before the next one wakes. */
  advance(ms: number): Promise<void>;
  /** Lets everything go on that waits for nothing but its turn. Throws when that never ends. */
  settle(): Promise<void>;
  /** Lets time pass for as long as some work needs it to be done, and gives what comes of it. */
  passUntil<T>(work: Promise<T>): Promise<T>;
}

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** A deterministic world for tests. Two worlds of one seed give the same numbers and ids. */
export function testWorld(options: { readonly seed?: number } = {}): TestWorld {
  const random = dice(options.seed ?? 1);
  const lines: LogLine[] = [];
  // In order of time, and of arrival within one time.
  const sleepers: Sleeper[] = [];
  let nowMs = 0;

  /** Wakes the first sleeper that is due by then; false when there is none. */
  function wakeFirst(untilMs: number): boolean {
    if (sleepers.length === 0 || sleepers[0]!.dueMs > untilMs) return false;
    const first = sleepers.shift()!;
    nowMs = Math.max(nowMs, first.dueMs);
    first.wake();
    return true;
  }

  async function runUntil(untilMs: number): Promise<void> {
    await turns();
    for (let round = 0; wakeFirst(untilMs); round++) {
      const before = nowMs;
      await turns();
      if (nowMs > before) round = 0;
      if (round > roundsMax) throw new WaybillError("BACKLOG_FULL", "Something sleeps for no time again and again.");
    }
  }

  async function advance(ms: number): Promise<void> {
    const untilMs = nowMs + ms;
    await runUntil(untilMs);
    nowMs = untilMs;
  }

  return {
    lines,
    sleepers: () => sleepers.length,
    monotonicMs: () => nowMs,
    random,
    newId: () => uuid(random),
    turn: async () => {},
    sleep: (ms, signal) => sleepIn(sleepers, nowMs + Math.min(Math.max(ms, 0), dayMs), signal),
    settle: () => runUntil(nowMs),
    advance,
    async passUntil(work) {
      let isOver = false;
      const over = () => void (isOver = true);
      work.then(over, over);
      await runUntil(nowMs);
      while (!isOver) await advance(10);
      return work;
    },
    log(level, text, facts) {
      lines.push({ level, text, facts });
      if (lines.length > linesMax) lines.shift();
    },
  };
}

function sleepIn(sleepers: Sleeper[], dueMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const sleeper: Sleeper = { dueMs, wake: awake };
    function awake(): void {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }
    function aborted(): void {
      sleepers.splice(sleepers.indexOf(sleeper), 1);
      awake();
    }
    signal?.addEventListener("abort", aborted, { once: true });
    const behind = sleepers.findIndex((other) => other.dueMs > dueMs);
    sleepers.splice(behind === -1 ? sleepers.length : behind, 0, sleeper);
  });
}

/** Lets promises and immediates run; twice, because one may start another. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Numbers in [0, 1) from a seed: a Weyl sequence through a 32-bit mixer (Steele and others, SplitMix, 2014). */
export function dice(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

function uuid(random: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join("-");
}
