import { product } from "@waybill/catalogue";
import type { EmbeddedFile } from "@waybill/store-sqlite";
import { writeServerInfo } from "@waybill/store-sqlite";
import { resolve } from "node:path";
import { openApi, refuseOpenDoor } from "./api.ts";
import { sampleProducts, type SampleProduct } from "./seed.ts";
import type { Shop } from "./shop.ts";
import { openWork, type Work, type WorkOptions } from "./work.ts";

export interface ServerOptions extends WorkOptions {
  /** Default 4800, or the next that is free. One that is given must be free; 0 takes any. */
  readonly port?: number;
  /** Default 127.0.0.1. Another needs keys: without any the server does not start. */
  readonly host?: string;
  /** The file of API keys. Default `keys.json` in the data folder. */
  readonly keys?: string;
  /** Whether the books of an embedded shop are audited beside the work, reading only. Default false;
   *  `runServer` does. */
  readonly audit?: boolean;
}

/** A process at work for a shop, which told nobody yet where it listens. */
export interface RunningWork extends AsyncDisposable {
  /** The engine's name. */
  readonly engine: string;
  /** The whole path of the data folder. */
  readonly data: string;
  /** The services that work in this process. */
  readonly services: readonly string[];
  /** Undefined where payments runs in another process. */
  readonly gatewayUrl: string | undefined;
  /** Whether the gateway is a sandbox of this machine. */
  readonly isSandbox: boolean;
  readonly shop: Shop;
  /** Hands the lanes over, and ends the gateway if it is its own. */
  close(): Promise<void>;
}

/** A shop that serves. */
export interface RunningServer extends RunningWork {
  readonly url: string;
  /** The embedded engine's file: its figures, and how large it may become. */
  readonly file: EmbeddedFile | undefined;
  /** A product to try it with: one of the sample, if it is there. */
  readonly sample: SampleProduct | undefined;
}

/** Starts services without the HTTP interface. Resolves when their lanes run or were found taken. */
export async function startWork(options: WorkOptions): Promise<RunningWork> {
  const work = await openWork({ ...options, api: false });
  if (work.isSeedDue) await work.seed();
  work.log("info", "The services are at work.", { services: work.parts.services, data: work.data });
  return runningWork(work, async () => undefined);
}

/**
 * Starts the shop, or of it what the options say, and its HTTP interface. Resolves when it is ready; a new shop has its
 * sample by then. Throws STORE_UNAVAILABLE, naming the other process, when an embedded engine's folder is in use.
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { host = "127.0.0.1", port, keys } = { ...options.config?.http, ...options };
  refuseOpenDoor(host, resolve(options.data ?? options.config?.data ?? ".waybill"), keys);
  await using open = new AsyncDisposableStack();
  const work = open.use(await openWork(options));
  const { data, gatewayUrl, shop, file, log } = work;
  let isSeeded = !work.isSeedDue;
  const audit = options.audit ?? false;
  const api = open.use(await openApi(work, { host, port, keys, audit, isSeeded: () => isSeeded }));
  const { url } = api;
  if (file !== undefined) writeServerInfo(data, { pid: process.pid, startedAt: new Date().toISOString(), url });
  if (work.isSeedDue) await work.seed();
  isSeeded = true;
  const sample = await sampleIn(shop, sampleProducts());
  log("info", "The shop is open.", { url, data, gatewayUrl });
  open.move();
  return { ...runningWork(work, async () => api[Symbol.asyncDispose]()), url, file, sample };
}

/** Lanes are handed over while the last requests are answered. */
function runningWork(work: Work, closeApi: () => Promise<void>): RunningWork {
  const { data, shop, log, gatewayUrl, isSandbox, parts, engine } = work;
  let closed: Promise<void> | undefined;
  const end = async () => {
    log("info", "The shop closes.");
    const results = await Promise.allSettled([closeApi(), shop.handOver()]);
    await work[Symbol.asyncDispose]();
    for (const result of results) if (result.status === "rejected") throw result.reason;
  };
  const close = () => (closed ??= end());
  return {
    engine: engine.name,
    data,
    services: parts.services,
    gatewayUrl,
    isSandbox,
    shop,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The sample's best known product, if this shop sells it. */
async function sampleIn(shop: Shop, products: readonly SampleProduct[]): Promise<SampleProduct | undefined> {
  const known = products.find(({ sku }) => sku === "85123A");
  if (known === undefined) return undefined;
  const sold = await shop.engine.durable.state("catalogue", product, known.sku);
  return sold?.active === true ? known : undefined;
}
