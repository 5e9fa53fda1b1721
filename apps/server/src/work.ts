import type { World } from "@waybill/messaging";
import type { PaymentGateway } from "@waybill/payments";
import type { EmbeddedFile, FileLimits } from "@waybill/store-sqlite";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { effective, type Config } from "./config/effective.ts";
import type { Engine } from "./engine.ts";
import { httpGateway } from "./gateway/http-gateway.ts";
import { openSandbox } from "./gateway/sandbox.ts";
import { openLog, type LogTarget } from "./log.ts";
import { openMailer } from "./mail/open.ts";
import { openMeter, type Meter } from "./metrics/meter.ts";
import { tracesEndpoint, tracesTo } from "./metrics/traces.ts";
import { openEngine } from "./open-engine.ts";
import { partsOf, type Parts } from "./parts.ts";
import { hasFile, isEmpty, openSeed, sampleNeeds, sampleProducts, seed } from "./seed.ts";
import { openShop, type Shop } from "./shop.ts";
import { realWorld, type Log } from "@waybill/node";

export interface WorkOptions {
  /** What `loadConfig` gave. Default: the embedded engine, and defaults for all. */
  readonly config?: Config;
  /** Services that work in this process, and `api`. Default: all. */
  readonly only?: readonly string[];
  /** False: no HTTP interface in this process. */
  readonly api?: boolean;
  /** The folder of everything that the shop keeps on this machine, in place of the configuration's. */
  readonly data?: string;
  /** How long after its confirmation an order leaves by itself, in milliseconds, in place of the configuration's. */
  readonly dispatchAfterMs?: number;
  /** How long a reserved order waits for its money, in milliseconds, in place of the configuration's. */
  readonly paymentDeadlineMs?: number;
  /** A payment gateway in place of the configuration's. Without any the sandbox is run, with its ledger in the data folder. */
  readonly gatewayUrl?: string;
  /** Whether a new shop gets the sample's products and stock. Default true. */
  readonly seed?: boolean;
  /** Default the file `server.log` in the data folder. */
  readonly log?: LogTarget;
  readonly limits?: Partial<FileLimits>;
  /** How long each topic of the embedded file keeps its messages, in milliseconds. Default: as the configuration says. */
  readonly retentionMs?: number;
  /** Above how many bytes each of them lets its oldest messages go. */
  readonly retentionBytes?: number;
}

/** A process at work for a shop, without what it tells the world. */
export interface Work extends AsyncDisposable {
  readonly config: Config;
  /** The whole path of the data folder. */
  readonly data: string;
  readonly parts: Parts;
  readonly engine: Engine;
  /** The embedded engine's file. */
  readonly file: EmbeddedFile | undefined;
  readonly shop: Shop;
  readonly meter: Meter;
  readonly world: World;
  readonly log: Log;
  /** Undefined where payments runs in another process. */
  readonly gatewayUrl: string | undefined;
  readonly isSandbox: boolean;
  /** Whether the sample has yet to be put in. */
  readonly isSeedDue: boolean;
  /** Puts the sample in; resolves when orders and inventory know it. */
  seed(): Promise<void>;
}

/** Opens what a process works with: engine, payment gateway, services. */
export async function openWork(options: WorkOptions): Promise<Work> {
  const config = configOf(options);
  const data = resolve(config.data);
  const parts = partsOf(config.engine, options.only, options.api);
  mkdirSync(data, { recursive: true });
  const log = openLog(options.log ?? { file: join(data, "server.log") });
  const world = realWorld(log);
  await using open = new AsyncDisposableStack();
  const takesSample = (options.seed ?? true) && sampleNeeds.every((name) => parts.services.includes(name));
  // A new file must not be there before the mark that it wants the sample.
  const early = config.engine === "embedded" ? openSeed(data, takesSample && !hasFile(data)) : undefined;
  const engine = open.use(await openEngine(config, { world, data, limits: options.limits }));
  const seeding = early ?? openSeed(data, takesSample && (await isEmpty(engine)));
  const { gatewayUrl, gateway } = await openGateway(config, data, parts, log, open);
  const mailer = await openMailer(config.mail, join(data, "mail"), open);
  const { services: only } = parts;
  const { dispatchAfterMs, paymentDeadlineMs } = config.shop;
  const collector = tracesEndpoint(process.env);
  const traces = collector === undefined ? undefined : open.use(await tracesTo(collector));
  const meter = openMeter({ traces, log: world.log });
  const timing = { dispatchAfterMs, paymentDeadlineMs };
  const shop = open.use(await openShop({ engine, world, gateway, mailer, meter, only, ...timing }));
  const kept = open.move();
  return {
    config,
    data,
    parts,
    engine,
    file: engine.file,
    shop,
    meter,
    world,
    log,
    gatewayUrl,
    isSandbox: gatewayUrl !== config.shop.gatewayUrl,
    isSeedDue: seeding.isDue,
    async seed() {
      await seed(engine, shop.publisher, world, sampleProducts());
      seeding.done();
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** The configuration, with what the options say in place of it. */
function configOf(options: WorkOptions): Config {
  const { config = effective({}), data, gatewayUrl, dispatchAfterMs, paymentDeadlineMs } = options;
  const { retentionMs, retentionBytes } = options;
  const kept = Object.entries(config.topics).map(([name, topic]) => [
    name,
    { ...topic, ...given({ retentionMs, retentionBytes }) },
  ]);
  return {
    ...config,
    ...given({ data }),
    shop: { ...config.shop, ...given({ gatewayUrl, dispatchAfterMs, paymentDeadlineMs }) },
    topics: Object.fromEntries(kept) as Config["topics"],
  };
}

/** Without what is undefined. */
function given<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;
}

/** The gateway that payments calls: the one that is given, or a sandbox. */
async function openGateway(
  { shop }: Config,
  data: string,
  { services }: Parts,
  log: Log,
  open: AsyncDisposableStack,
): Promise<{ readonly gatewayUrl: string | undefined; readonly gateway: PaymentGateway | undefined }> {
  const { gatewayUrl: given, gatewayKeyTtlMs: keyTtlMs, gatewayTimeoutMs: timeoutMs } = shop;
  if (!services.includes("payments")) return { gatewayUrl: given, gateway: undefined };
  const tell = (text: string, facts: Readonly<Record<string, unknown>>) => log("warn", text, facts);
  const gatewayUrl = given ?? open.use(await openSandbox({ data: join(data, "gateway"), log: tell })).url;
  return {
    gatewayUrl,
    gateway: open.use(httpGateway({ url: gatewayUrl, keyTtlMs, timeoutMs, connections: shop.gatewayConnectionsMax })),
  };
}
