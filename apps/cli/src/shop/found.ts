import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { localKeyFile, openEngine, realWorld, type Config, type Engine } from "@waybill/server";
import { fileName, readServerInfo } from "@waybill/store-sqlite";
import { CliError } from "../exit.ts";

/** Where an answer about a shop comes from: its server, its data folder when no server runs, its database and brokers. */
export interface Found {
  /** Whether some process works in the folder; undefined where no folder tells. */
  readonly isRunning: boolean | undefined;
  /**
   * The server's answer to a GET as JSON; undefined when there is no server to ask. Throws for an answer above 299.
   * `waitSeconds`: how long the server may wait for something to tell.
   */
  get(path: string, waitSeconds?: number): Promise<unknown>;
  /** Asks the server to do something; its answer as JSON. Throws when there is none, and for an answer above 299. */
  post(path: string, body: unknown): Promise<unknown>;
  /** Opens what the shop runs on, to be read beside whoever works on it. */
  open(): Promise<Engine>;
}

/** A refusal as the program ends with it: what does not exist or does not fit is no fault of the server. */
export function refused(error: unknown): never {
  if (!(error instanceof Refusal)) throw error;
  const isOurs = error.status === 404 || error.status === 409 || error.status === 422;
  throw new CliError(isOurs ? "failed" : "unavailable", error.message, error);
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

const timeoutMs = 15_000;
/** Bears the key for a server that is named by its address. */
const keyVariable = "WAYBILL_API_KEY";

/**
 * Looks who works on a shop. Throws when it is embedded and its data folder holds none.
 * @param server its address; undefined: the one that works in the data folder, if one does.
 */
export function findShop(config: Config, server?: string): Found {
  const { engine, data: folder } = config;
  const open = () => openEngine(config, { data: folder, world: realWorld(() => {}), readOnly: true });
  if (server !== undefined) {
    return { isRunning: true, ...asking(addressOf(server), process.env[keyVariable]), open };
  }
  if (engine !== "embedded") return { isRunning: undefined, ...nobody(folder), open };
  if (!existsSync(join(folder, fileName))) {
    const text = `There is no shop in ${folder}. Start one with "waybill start", or name its folder with --data.`;
    throw new CliError("unavailable", text);
  }
  const info = readServerInfo(folder);
  const isRunning = info !== undefined && isAlive(info.pid);
  const url = isRunning ? info.url : undefined;
  return { isRunning, ...(url === undefined ? nobody(folder) : asking(url, keyIn(folder))), open };
}

function addressOf(server: string): string {
  if (URL.canParse(server) && /^https?:/.test(server)) return server;
  throw new CliError("usage", `--server "${server}": give an address such as http://127.0.0.1:4800.`);
}

function asking(url: string, key: string | undefined): Pick<Found, "get" | "post"> {
  return {
    get: (path, waitSeconds) => ask(url, path, { key, ...(waitSeconds === undefined ? {} : { waitSeconds }) }),
    post: (path, body) => ask(url, path, { key, body }),
  };
}

/** Where there is no server to ask. */
function nobody(folder: string): Pick<Found, "get" | "post"> {
  return {
    get: async () => undefined,
    post: async () => {
      const text = `No server is known to work on ${folder}, and only a server can do this. Start it, or name it with --server.`;
      throw new CliError("unavailable", text);
    },
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

interface Asked {
  readonly key: string | undefined;
  /** What to send; a GET when there is nothing. */
  readonly body?: unknown;
  readonly waitSeconds?: number;
}

async function ask(url: string, path: string, { key, body, waitSeconds }: Asked): Promise<unknown> {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  if (waitSeconds !== undefined) headers["prefer"] = `wait=${waitSeconds}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(new URL(path, url), {
    headers,
    signal: AbortSignal.timeout(timeoutMs + (waitSeconds ?? 0) * 1_000),
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    const { cause } = error as { cause?: unknown };
    const why = cause instanceof Error ? cause.message : (error as Error).message;
    throw new CliError("unavailable", `The server at ${url} does not answer: ${why}.`, error);
  });
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
