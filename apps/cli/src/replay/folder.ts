import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileName, readServerInfo } from "@waybill/store-sqlite";
import { CliError } from "../exit.ts";
import { isAlive } from "../shop/found.ts";
import { ReplayError } from "./errors.ts";
import type { StockMode } from "./stock.ts";

/** What a replay's folder was begun with; going on with anything else would mix two runs. */
export interface Begun {
  readonly source: string;
  /** The file's SHA-256. */
  readonly file: string;
  readonly stock: StockMode;
  /** What the shop runs on, in words; undefined: the folder itself. */
  readonly on?: string | undefined;
}

const markFile = "replay.json";

/** Where a replay keeps its shop when nothing else is said. */
export function defaultFolder(source: string, stock: StockMode): string {
  return join(".waybill", `replay-${source}-${stock}`);
}

export async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    throw new ReplayError("FILE_UNREADABLE", `${file}: ${(error as Error).message}`, error);
  }
  return hash.digest("hex");
}

/**
 * Looks whether a folder holds a replay to go on with, and clears it when that is not wanted. Throws when it holds something
 * else: a replay of another file or stock, or a shop that is not a replay's.
 */
export function lookInto(folder: string, begun: Begun, fresh: boolean): "new" | "resumed" {
  const found = readMark(folder);
  if (found === undefined) refuseForeign(folder);
  if (found !== undefined && !fresh) {
    refuseOther(folder, found, begun);
    return "resumed";
  }
  if (found !== undefined) clear(folder);
  return "new";
}

/** Marks a folder as this replay's. */
export function takeFolder(folder: string, begun: Begun): void {
  try {
    mkdirSync(folder, { recursive: true });
    const draft = join(folder, `${markFile}.${process.pid}`);
    writeFileSync(draft, `${JSON.stringify(begun)}\n`);
    renameSync(draft, join(folder, markFile));
  } catch (error) {
    throw new CliError("unavailable", `The folder ${folder} cannot be written: ${(error as Error).message}.`, error);
  }
}

function readMark(folder: string): Begun | undefined {
  const path = join(folder, markFile);
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Begun;
  } catch (error) {
    const text = `${path} cannot be read: ${(error as Error).message}. Choose another folder with --data.`;
    throw new CliError("unavailable", text, error);
  }
}

function refuseForeign(folder: string): void {
  if (!existsSync(folder)) return;
  const entries = readFolder(folder);
  if (entries.length === 0) return;
  const what = entries.includes(fileName) ? "a shop that is not a replay's" : "files that are not a replay's";
  throw new CliError("usage", `The folder ${folder} holds ${what}. Choose another one with --data.`);
}

function readFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new CliError("unavailable", `The folder ${folder} cannot be read: ${(error as Error).message}.`, error);
  }
}

function refuseOther(folder: string, found: Begun, asked: Begun): void {
  const differs = [
    ...(found.source === asked.source ? [] : [`the source ${found.source}, not ${asked.source}`]),
    ...(found.source === asked.source && found.file !== asked.file ? [`another content of ${asked.source}`] : []),
    ...(found.stock === asked.stock ? [] : [`--stock ${found.stock}, not ${asked.stock}`]),
    ...(found.on === asked.on ? [] : [`${found.on ?? "the folder itself"}, not ${asked.on ?? "the folder itself"}`]),
  ];
  if (differs.length === 0) return;
  const text = `The folder ${folder} holds a replay of ${differs.join(" and ")}. Choose another folder with --data, or begin anew with --fresh.`;
  throw new CliError("usage", text);
}

/** Deletes a replay's folder, unless somebody is at work in it. */
function clear(folder: string): void {
  const info = readServerInfo(folder);
  if (info !== undefined && info.pid !== process.pid && isAlive(info.pid)) {
    throw new CliError("unavailable", `The folder ${folder} is in use by process ${info.pid}. Stop it first.`);
  }
  rmSync(folder, { recursive: true, force: true });
}
