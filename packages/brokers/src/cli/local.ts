import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Progress } from "../installed.ts";
import { kafkaClusterRecipes, kafkaRecipe } from "../kafka.ts";
import type { Kind } from "../kinds.ts";
import { natsClusterAgrees, natsClusterRecipes, natsRecipe, type NatsRecipe } from "../nats.ts";
import { freePort, isFree } from "../ports.ts";
import { postgresRecipe } from "../postgres.ts";
import { becomes, beginningOf, killAll, signal } from "../processes.ts";
import { java, kafkaJars, natsServer, postgresPrograms } from "../programs.ts";
import { leave, type Recipe } from "../serve.ts";
import { unprivileged } from "../user.ts";
import type { Background, Entry } from "./state.ts";

/** Where they are found if nothing else is there: the usual number after a 1, and those that follow it. */
const firstPorts: Readonly<Record<Kind, number>> = { nats: 14_222, kafka: 19_092, postgres: 15_432 };
const stopMsMax = 30_000;

/** Starts what is asked for from programs of this machine, which are installed if need be. */
export async function runLocally(kind: Kind, cluster: boolean, folder: string, progress: Progress): Promise<Entry> {
  await programsOf[kind](progress);
  const recipes = await recipesOf(kind, cluster, resolve(folder));
  const left = await Promise.allSettled(recipes.map(leave));
  const pids = left.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  try {
    for (const one of left) if (one.status === "rejected") throw one.reason;
    if (kind === "nats" && cluster) await natsClusterAgrees(recipes as readonly NatsRecipe[]);
    const servers = recipes.map(({ stopSignal }, index) => ({ ...identified(pids[index]!), stopSignal }));
    return { kind, cluster, url: recipes.map(({ url }) => url).join(), servers };
  } catch (error) {
    await Promise.all(pids.map(killAll));
    throw error;
  }
}

/** Whether all of its processes are there, and are still the ones that were started. */
export function isRunning({ servers }: Entry): boolean {
  return servers.length > 0 && servers.every(isSame);
}

/** A clean stop of those processes that are still the ones that were started. */
export async function stopLocally({ servers }: Entry): Promise<void> {
  const left = servers.filter(isSame);
  for (const { pid, stopSignal } of left) signal(pid, stopSignal);
  if (await becomes(() => !left.some(isSame), stopMsMax)) return;
  await Promise.all(left.filter(isSame).map(({ pid }) => killAll(pid)));
}

function isSame({ pid, began }: Background): boolean {
  return beginningOf(pid) === began;
}

function identified(pid: number): Omit<Background, "stopSignal"> {
  const began = beginningOf(pid);
  if (began === undefined) throw new Error(`Process ${pid} ended as soon as it was ready.`);
  return { pid, began };
}

const programsOf: Readonly<Record<Kind, (progress: Progress) => Promise<unknown>>> = {
  nats: natsServer,
  kafka: async (progress) => [await java(), await kafkaJars(progress)],
  postgres: postgresPrograms,
};

async function recipesOf(kind: Kind, cluster: boolean, folder: string): Promise<readonly Recipe[]> {
  const first = firstPorts[kind];
  if (cluster) {
    const ports = [await portNear(first + 1), await portNear(first + 2), await portNear(first + 3)] as const;
    const options = { ports, folder: join(folder, `${kind}-cluster`) };
    return kind === "nats" ? await natsClusterRecipes(options) : await kafkaClusterRecipes(options);
  }
  const options = { port: await portNear(first), folder: join(folder, kind) };
  if (kind === "nats") return [await natsRecipe(options)];
  if (kind === "kafka") return [await kafkaRecipe(options)];
  return [await postgresRecipe({ ...options, folder: reachable(options.folder) })];
}

async function portNear(port: number): Promise<number> {
  return (await isFree(port)) ? port : await freePort();
}

/** PostgreSQL runs as another user when we are root, who cannot reach what lies in root's own folder. */
function reachable(folder: string): string {
  if (unprivileged() === undefined || isOpenToAll(dirname(folder))) return folder;
  return `/var/tmp/waybill-postgres-${createHash("sha256").update(folder).digest("hex").slice(0, 12)}`;
}

function isOpenToAll(folder: string): boolean {
  const isOpen = (statSync(folder).mode & 0o001) !== 0;
  return isOpen && (dirname(folder) === folder || isOpenToAll(dirname(folder)));
}
