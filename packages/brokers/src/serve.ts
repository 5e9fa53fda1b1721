import {
  chownSync,
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { launchFree, launchTied, type Command, type Launched } from "./launch.ts";
import { becomes, childrenOf, killAll, signal, stopped } from "./processes.ts";
import type { Certificates, Server, ServerOptions } from "./server.ts";
import type { Identity } from "./user.ts";

/** How one kind of server is run. */
export interface Recipe {
  /** As its users call it: "PostgreSQL". */
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly home: Home;
  readonly certificates?: Certificates | undefined;
  readonly command: Omit<Command, "log" | "folder">;
  /** What it writes to its log once it takes connections. */
  readonly ready: string;
  /** What it takes for "finish and go". */
  readonly stopSignal: NodeJS.Signals;
}

/** The folder of a server. */
export interface Home {
  readonly folder: string;
  readonly isTemporary: boolean;
}

const startMsMax = 90_000;
const stopMsMax = 20_000;

/** The folder that the options name or a temporary one, owned by whom the server runs as. */
export function homeFor(name: string, { folder }: ServerOptions, owner?: Identity): Home {
  const path = folder === undefined ? mkdtempSync(join(tmpdir(), `waybill-${name}-`)) : resolve(folder);
  mkdirSync(path, { recursive: true });
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
  return { folder: path, isTemporary: folder === undefined };
}

/** Starts what the recipe says and resolves when it takes connections. */
export async function serve(recipe: Recipe): Promise<Server> {
  const { folder, isTemporary } = recipe.home;
  const log = join(folder, "server.log");
  const command = { ...recipe.command, folder, log };
  let running: Launched | undefined;

  async function start(): Promise<void> {
    if (running !== undefined && !running.hasEnded())
      throw new Error(`${recipe.name} on port ${recipe.port} is running already (process ${running.pid}).`);
    const from = sizeOf(log);
    running = launchTied(command, isTemporary ? folder : undefined);
    await readyOrKilled(recipe, running, log, from);
    running.letGo();
  }

  async function stop(): Promise<void> {
    if (running === undefined || running.hasEnded()) return;
    running.hold();
    resume(running.pid);
    signal(running.pid, recipe.stopSignal);
    if (await becomes(running.hasEnded, stopMsMax)) return;
    await kill(running);
    throw new Error(`${recipe.name} did not stop within ${stopMsMax / 1000} s and was killed. Its log: ${log}`);
  }

  const server: Server = {
    url: recipe.url,
    port: recipe.port,
    folder,
    certificates: recipe.certificates,
    get pid() {
      return running!.pid;
    },
    get log() {
      return readFileSync(log, "utf8");
    },
    start,
    stop,
    kill: () => kill(running!),
    pause: () => pause(running!.pid),
    resume: () => resume(running!.pid),
    async [Symbol.asyncDispose]() {
      await kill(running!);
      if (isTemporary) rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await start();
  } catch (error) {
    if (isTemporary) rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return server;
}

/** Starts what the recipe says so that it outlives this process; resolves with its number when it takes connections. */
export async function leave(recipe: Recipe): Promise<number> {
  const { folder } = recipe.home;
  const log = join(folder, "server.log");
  const from = sizeOf(log);
  const running = launchFree({ ...recipe.command, folder, log });
  await readyOrKilled(recipe, running, log, from);
  running.letGo();
  return running.pid;
}

async function readyOrKilled(recipe: Recipe, running: Launched, log: string, from: number): Promise<void> {
  const isReady = () => running.hasEnded() || readFrom(log, from).includes(recipe.ready);
  const inTime = await becomes(isReady, startMsMax);
  if (inTime && !running.hasEnded()) return;
  const what = running.hasEnded() ? await running.ended : `took no connections within ${startMsMax / 1000} s`;
  await kill(running);
  const last = readFrom(log, from).trim().split("\n").slice(-15).join("\n");
  throw new Error(`${recipe.name} on port ${recipe.port} did not start: ${what}. Its last words:\n${last}`);
}

async function kill(running: Launched): Promise<void> {
  if (running.hasEnded()) return;
  running.hold();
  await killAll(running.pid);
  await running.ended;
}

function pause(pid: number): void {
  for (const one of stopped(pid).slice(1)) signal(one, "SIGSTOP");
}

function resume(pid: number): void {
  for (const one of [...childrenOf(pid), pid]) signal(one, "SIGCONT");
}

function sizeOf(path: string): number {
  const file = openSync(path, "a");
  const { size } = fstatSync(file);
  closeSync(file);
  return size;
}

function readFrom(path: string, from: number): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(fstatSync(file).size - from);
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, from));
  } finally {
    closeSync(file);
  }
}
