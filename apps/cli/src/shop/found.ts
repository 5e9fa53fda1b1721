import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { localKeyFile, openEngine, realWorld, type Config, type Engine } from "@waybill/server";
import { fileName, readServerInfo } from "@waybill/store-sqlite";
import { CliError } from "../exit.ts";

/** Where an answer about a shop comes from: its server, its data folder when no server runs, its database and brokers. */
export interface Found {
  /** Whether some process works in the folder; undefined where no folder tells. */
  readonly isRunning: boolean | undefined;
  /** The server's answer to a GET as JSON; undefined when there is no server to ask. Throws for an answer above 299. */
  get(path: string): Promise<unknown>;
  /** Opens what the shop runs on, to be read beside whoever works on it. */
  open(): Promise<Engine>;
}

/** A server's answer that is no success. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const timeoutMs = 10_000;

/** Looks who works on a shop. Throws when it is embedded and its data folder holds none. */
export function findShop(config: Config): Found {
  const { engine, data: folder } = config;
  const open = () => openEngine(config, { data: folder, world: realWorld(() => {}), readOnly: true });
  if (engine !== "embedded") return { isRunning: undefined, get: async () => undefined, open };
  if (!existsSync(join(folder, fileName))) {
    const text = `There is no shop in ${folder}. Start one with "waybill start", or name its folder with --data.`;
    throw new CliError("unavailable", text);
  }
  const info = readServerInfo(folder);
  const isRunning = info !== undefined && isAlive(info.pid);
  const url = isRunning ? info.url : undefined;
  return {
    isRunning,
    get: async (path) => (url === undefined ? undefined : ask(url, path, keyIn(folder))),
    open,
  };
}

/** The key that a running server keeps for those who may read its folder. */
function keyIn(folder: string): string | undefined {
  try {
    return readFileSync(localKeyFile(folder), "utf8").trim();
  } catch {
    return undefined;
  }
}

async function ask(url: string, path: string, key: string | undefined): Promise<unknown> {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await fetch(new URL(path, url), { headers, signal: AbortSignal.timeout(timeoutMs) }).catch(
    (error: unknown) => {
      const { cause } = error as { cause?: unknown };
      const why = cause instanceof Error ? cause.message : (error as Error).message;
      throw new CliError("unavailable", `The server at ${url} does not answer: ${why}.`, error);
    },
  );
  const text = await response.text();
  if (response.ok) return parsed(url, text);
  throw new Refusal(response.status, detailOf(text) ?? `The server at ${url} answers ${response.status}.`);
}

function parsed(url: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliError("unavailable", `What listens at ${url} is not a Waybill server.`, error);
  }
}

/** The detail of a problem document (RFC 9457). */
function detailOf(text: string): string | undefined {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    return typeof detail === "string" ? detail : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a process of this id runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
