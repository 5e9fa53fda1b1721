import { httpGateway } from "./gateway/http-gateway.ts";
import { startGateway } from "./gateway/child.ts";
import type { EmbeddedFile, FileLimits } from "@waybill/store-sqlite";
import { writeServerInfo } from "@waybill/store-sqlite";
import { product } from "@waybill/catalogue";
import { openLiveAudit } from "@waybill/auditor";
import { topics } from "@waybill/contracts";
import { messageOf } from "@waybill/messaging";
import type { FastifyInstance } from "fastify";
import { mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { openDoor } from "./door.ts";
import { embeddedEngine } from "./engine.ts";
import { isLoopback } from "./http/access/guard.ts";
import { readKeyFile } from "./http/access/key-file.ts";
import { openKeys, openLocalKey } from "./http/access/keys.ts";
import { httpApp } from "./http/app.ts";
import { openLog, type LogTarget } from "./log.ts";
import { mailFolder } from "./mail-folder.ts";
import { openMeter } from "./metrics/meter.ts";
import { openSeed, sampleProducts, seed, type SampleProduct } from "./seed.ts";
import { openShop, shopServices, type Shop } from "./shop.ts";
import { openWatch } from "./watch.ts";
import { realWorld } from "./world.ts";

export interface ServerOptions {
  /** The folder of everything that the shop keeps. Default `.waybill`. */
  readonly data?: string;
  /** Default 4800, or the next that is free. One that is given must be free; 0 takes any. */
  readonly port?: number;
  /** Default 127.0.0.1. Another needs keys: without any the server does not start. */
  readonly host?: string;
  /** The file of API keys. Default `keys.json` in the data folder. */
  readonly keys?: string;
  /** How long after its confirmation an order leaves by itself, in milliseconds. Default 1,000. */
  readonly dispatchAfterMs?: number;
  /** How long a reserved order waits for its money, in milliseconds. */
  readonly paymentDeadlineMs?: number;
  /** A payment gateway to use. Without it the sandbox is started as a child, with its ledger in the data folder. */
  readonly gatewayUrl?: string;
  /** Whether a new data folder gets the sample's products and stock. Default true. */
  readonly seed?: boolean;
  /** Default the file `server.log` in the data folder. */
  readonly log?: LogTarget;
  readonly limits?: Partial<FileLimits>;
  /** Whether the books are audited beside the work, in a thread that reads only. Default false; `runServer` does. */
  readonly audit?: boolean;
  /** How long each topic keeps its messages, in milliseconds; nothing that a service has not read goes. Default: for ever. */
  readonly retentionMs?: number;
  /** Above how many bytes each topic lets its oldest messages go. Default: never. */
  readonly retentionBytes?: number;
}

/** A shop that serves. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  /** The whole path of the data folder. */
  readonly data: string;
  readonly gatewayUrl: string;
  readonly shop: Shop;
  /** The engine's file: its figures, and how large it may become. */
  readonly file: EmbeddedFile;
  /** A product to try it with: one of the sample, if it is there. */
  readonly sample: SampleProduct | undefined;
  /** Takes no more requests, answers those under way, hands the lanes over, and ends the gateway. */
  close(): Promise<void>;
}

/** What requests wait for. */
const watched = [topics.orders, topics.products, topics.stock, topics.shipments];
const portDefault = 4_800;
const portsTried = 20;

/**
 * Opens the data folder and starts the shop on it: engine, payment gateway, services, HTTP. Resolves when it is ready;
 * a new folder has its sample by then. Throws STORE_UNAVAILABLE, naming the other process, when the folder is in use.
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const data = resolve(options.data ?? ".waybill");
  const { log = { file: join(data, "server.log") }, host = "127.0.0.1" } = options;
  mkdirSync(data, { recursive: true });
  const seeding = openSeed(data, options.seed ?? true);
  const logger = openLog(log);
  const world = realWorld(logger.log);
  await using open = new AsyncDisposableStack();
  open.defer(() => logger.flush());
  const keyFile = options.keys ?? join(data, "keys.json");
  refuseOpenDoor(host, keyFile);

  const engine = open.use(await embeddedEngine({ folder: data, world, ...storage(options) }));
  const gatewayUrl =
    options.gatewayUrl ?? open.use(await startGateway({ data: join(data, "gateway"), log: tellOf(logger.log) })).url;
  const gateway = open.use(httpGateway({ url: gatewayUrl }));
  const timing = { dispatchAfterMs: options.dispatchAfterMs ?? 1_000, paymentDeadlineMs: options.paymentDeadlineMs };
  const meter = openMeter();
  const mailer = mailFolder(join(data, "mail"));
  const shop = open.use(await openShop({ engine, world, gateway, mailer, meter, ...timing }));
  const watch = open.use(await openWatch(engine, world, watched));

  let isSeeded = !seeding.isDue;
  const local = open.use(openLocalKey(data)).entry;
  const keys = openKeys({ file: keyFile, isLoopback: isLoopback(host), world, local });
  const { worker, publisher } = shop;
  const door = openDoor(publisher, () => engine.health());
  const services = shopServices(timing);
  const audit = options.audit === true ? open.use(openLiveAudit({ folder: data, log: logger.log })) : undefined;
  const isReady = () => isSeeded;
  const app = await httpApp({ engine, world, services, worker, door, watch, keys, meter, audit, isSeeded: isReady });
  open.defer(() => app.close());
  const url = await listen(app, host, options.port);
  writeServerInfo(data, { pid: process.pid, startedAt: new Date().toISOString(), url });
  const products = sampleProducts();
  if (seeding.isDue) {
    await seed(engine, publisher, world, products);
    seeding.done();
    isSeeded = true;
  }
  const sample = await sampleIn(shop, products);
  logger.log("info", "The shop is open.", { url, data, gatewayUrl });

  const kept = open.move();
  let closed: Promise<void> | undefined;
  const end = async () => {
    logger.log("info", "The shop closes.");
    await kept.disposeAsync();
  };
  const close = () => (closed ??= end());
  return { url, data, gatewayUrl, shop, file: engine.file, sample, close, [Symbol.asyncDispose]: close };
}

/** Whoever reaches a server without keys may do everything: then nobody but this machine may reach it. */
function refuseOpenDoor(host: string, keyFile: string): void {
  if (isLoopback(host) || readKeyFile(keyFile).length > 0) return;
  throw new Error(
    `The server does not listen on ${host} without an API key: ${keyFile} has none. ` +
      "Make one with: waybill key new --role operator",
  );
}

function storage({ limits = {}, retentionMs, retentionBytes }: ServerOptions) {
  return { limits, retentionMs, retentionBytes };
}

function tellOf(log: ReturnType<typeof openLog>["log"]) {
  return (text: string, facts: Readonly<Record<string, unknown>>) => log("warn", text, facts);
}

/** Listens on the port that is asked for, or on the default or the first that is free after it. */
async function listen(app: FastifyInstance, host: string, port: number | undefined): Promise<string> {
  const last = port ?? portDefault + portsTried - 1;
  for (let at = port ?? portDefault; ; at++) {
    try {
      await app.listen({ host, port: at });
      const { port: given } = app.server.address() as AddressInfo;
      return `http://${host.includes(":") ? `[${host}]` : host}:${given}`;
    } catch (error) {
      const isTaken = (error as { code?: string }).code === "EADDRINUSE";
      if (isTaken && at < last) continue;
      if (!isTaken)
        throw new Error(`The server cannot listen on ${host}:${at}: ${messageOf(error)}.`, { cause: error });
      const taken =
        port === undefined ? `The ports ${portDefault} to ${last} of ${host} are` : `Port ${at} of ${host} is`;
      throw new Error(`${taken} in use. Choose another with --port.`, { cause: error });
    }
  }
}

/** The sample's best known product, if this shop sells it. */
async function sampleIn(shop: Shop, products: readonly SampleProduct[]): Promise<SampleProduct | undefined> {
  const known = products.find(({ sku }) => sku === "85123A");
  if (known === undefined) return undefined;
  const sold = await shop.engine.durable.state("catalogue", product, known.sku);
  return sold?.active === true ? known : undefined;
}
