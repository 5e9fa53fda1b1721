import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Asked } from "./child.ts";
import type { Stop } from "./sweep.ts";

/** What a growing shop costs, and how long it takes to come back with a log of the largest size. */
export interface Growth {
  readonly messages: readonly Stop[];
  readonly products: readonly Stop[];
  /** From kill -9 under load and the start of the next process to its first batch. */
  readonly restartMs: readonly number[];
}

const restarts = 3;
/** How long a shop works before it is killed. */
const underLoadMs = 2_000;

const decades = (from: number, to: number, between: readonly number[]): number[] => {
  const stops: number[] = [];
  for (let stop = from; stop < to; stop *= 10) stops.push(...between.map((times) => stop * times));
  return [...stops, to];
};

/** Measures it all: about eight minutes, or with `quick` two. */
export async function growth(options: { readonly base: string; readonly quick: boolean }): Promise<Growth> {
  const base = mkdtempSync(join(options.base, "growth-"));
  try {
    const { quick } = options;
    const messages = await growAndKill(base, decades(1e4, quick ? 1e6 : 1e7, quick ? [1] : [1, 3]));
    const stops = decades(1e2, quick ? 1e5 : 1e6, [1]);
    const child = start({ part: "products", base, stops });
    const products = (await firstLine(child)) as Stop[];
    await once(child, "exit");
    return { ...messages, products };
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

async function growAndKill(base: string, stops: readonly number[]): Promise<Omit<Growth, "products">> {
  let child = start({ part: "messages", base, stops });
  const grown = (await firstLine(child)) as { folder: string; stops: readonly Stop[] };
  const restartMs: number[] = [];
  for (let n = 0; n < restarts; n++) {
    await kill(child);
    child = start({ part: "restart", base, folder: grown.folder, spawnedAtMs: Date.now() });
    restartMs.push((await firstLine(child)) as number);
    process.stderr.write(`killed, and back at work after ${restartMs.at(-1)} ms\n`);
  }
  await kill(child);
  rmSync(grown.folder, { recursive: true });
  return { messages: grown.stops, restartMs };
}

function start(asked: Asked): ChildProcess {
  const script = fileURLToPath(new URL("child.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, "--expose-gc", script, JSON.stringify(asked)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => child.kill("SIGKILL"));
  return child;
}

/** What a child tells; throws when it ends without a word. */
async function firstLine(child: ChildProcess): Promise<unknown> {
  for await (const line of createInterface({ input: child.stdout! })) return JSON.parse(line) as unknown;
  throw new Error("The measuring process has ended without a figure; what it said stands above.");
}

/** kill -9, in the middle of its work. */
async function kill(child: ChildProcess): Promise<void> {
  await sleep(underLoadMs);
  if (child.exitCode !== null) throw new Error("The shop has ended by itself; what it said stands above.");
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
