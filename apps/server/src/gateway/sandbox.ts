import { messageOf, codeOf } from "@waybill/messaging";
import { lockFolder, readServerInfo, writeServerInfo } from "@waybill/store-sqlite";
import { mkdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { startGateway, type GatewayChildOptions } from "./child.ts";

export interface Sandbox extends AsyncDisposable {
  /** The same for as long as any process uses it. */
  readonly url: string;
}

const lookEveryMs = 250;
const foundWithinMs = 20_000;

/**
 * The sandbox gateway of a folder, for however many processes of this machine: the first that needs it runs it, the others
 * use that one, and when its process ends one of them runs it on, at the same address and with the same ledger.
 */
export async function openSandbox(options: Pick<GatewayChildOptions, "data" | "log">): Promise<Sandbox> {
  mkdirSync(options.data, { recursive: true });
  const closing = new AbortController();
  let own = await serve(options, 0);
  const url = own?.url ?? (await urlOfOther(options, (served) => (own = served)));
  const waiting = own === undefined ? takeOver(Number(new URL(url).port)) : Promise.resolve();

  async function takeOver(port: number): Promise<void> {
    while (own === undefined && !closing.signal.aborted) {
      await pause(lookEveryMs, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      own = await serve(options, port).catch((error: unknown) => {
        options.log?.("the payment gateway could not be taken over and is tried again", { error: messageOf(error) });
        return undefined;
      });
    }
  }

  return {
    url,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await waiting;
      await own?.[Symbol.asyncDispose]();
    },
  };
}

/** Runs the gateway if nobody else does. */
async function serve(
  { data, log }: Pick<GatewayChildOptions, "data" | "log">,
  port: number,
): Promise<Sandbox | undefined> {
  const unlock = locked(data);
  if (unlock === undefined) return undefined;
  try {
    const child = await startGateway({ data, port, ...(log === undefined ? {} : { log }) });
    writeServerInfo(data, { pid: process.pid, startedAt: new Date().toISOString(), url: child.url });
    const end = async () => {
      await child.close();
      unlock();
    };
    return { url: child.url, [Symbol.asyncDispose]: end };
  } catch (error) {
    unlock();
    throw error;
  }
}

function locked(folder: string): (() => void) | undefined {
  try {
    return lockFolder(folder);
  } catch (error) {
    if (codeOf(error) === "STORE_UNAVAILABLE" && messageOf(error).includes("in use")) return undefined;
    throw error;
  }
}

/** Where the process that has the folder serves it; when that one ends before it does, `served` is told of our own. */
async function urlOfOther(
  options: Pick<GatewayChildOptions, "data" | "log">,
  served: (own: Sandbox) => void,
): Promise<string> {
  for (let waitedMs = 0; waitedMs < foundWithinMs; waitedMs += lookEveryMs) {
    const url = readServerInfo(options.data)?.url;
    if (url !== undefined) return url;
    await pause(lookEveryMs);
    const own = await serve(options, 0);
    if (own === undefined) continue;
    served(own);
    return own.url;
  }
  throw new Error(`Another process has the folder ${options.data} and serves no payment gateway from it.`);
}
