import { mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { orderPlace, type OrderPlace } from "@waybill/contracts";
import type { World } from "@waybill/messaging";
import type { Mailer } from "@waybill/notifications";
import type { PaymentGateway } from "@waybill/payments";
import {
  embeddedEngine,
  endOf,
  inProcessGateway,
  openShop,
  realWorld,
  seed,
  type Engine,
  type SampleProduct,
  type Shop,
} from "@waybill/server";
import type { EmbeddedFile } from "@waybill/store-sqlite";

export interface LoadOptions {
  /** Where the data folder is made; a folder on the disk that is to be measured. */
  readonly base: string;
  /** A data folder that is there already: its shop is gone on with, and kept. A new one, which is removed at the end, unless given. */
  readonly folder?: string;
  /** That folder has nothing in it yet. It is kept all the same. */
  readonly isNew?: boolean;
  readonly skus: number;
  /** One SKU stands in every order. */
  readonly hot?: boolean;
  /** The in-process approving gateway unless given. */
  readonly gateway?: PaymentGateway;
  /** Which SKU stands in a line of the n-th order; spread over all of them unless given. */
  readonly skuAt?: (n: number, line: number) => string;
  readonly retentionMs?: number;
  readonly retentionBytes?: number;
  /** What the shop runs on; an embedded file in the folder unless given. */
  readonly openEngine?: (world: World) => Promise<Engine & { readonly file?: EmbeddedFile }>;
}

/** A shop in a folder of its own, with products and stock, and orders that can be placed one after the other. */
export interface ShopUnderLoad extends AsyncDisposable {
  readonly folder: string;
  readonly shop: Shop;
  /** The embedded file, where the shop runs on one. */
  readonly file: EmbeddedFile | undefined;
  /** Waves written so far: each is one commit and one fsync. */
  stats(): { waves: number; rows: number; inputs: number; bytes: number };
  /** Places one order; resolves when it is durable. */
  place(): { readonly orderId: string; readonly placed: Promise<unknown> };
  /** Tells this one listener, in place of the last, of each event of an order when it is durable. */
  only(listener: (type: string, orderId: string) => void): void;
  /** Resolves when nothing has been written for so long: everything that was asked for is done. */
  quiet(forMs: number): Promise<void>;
  /** The size of the data file and its write-ahead log. */
  fileBytes(): number;
  /** Messages read on all stamped topics so far. */
  messages(): Promise<number>;
}

/** Where there is no file whose waves could be counted. */
const noStats = { waves: 0, rows: 0, inputs: 0, bytes: 0 };
const noMail: Mailer = { send: async () => ({ kind: "done", value: null }) };

export async function openShopUnderLoad(options: LoadOptions): Promise<ShopUnderLoad> {
  const folder = options.folder ?? mkdtempSync(join(options.base, "lab-"));
  const world = realWorld((level, text, facts) => {
    if (level === "error" || level === "warn") process.stderr.write(`${level}: ${text} ${JSON.stringify(facts)}\n`);
  });
  const { retentionMs, retentionBytes } = options;
  const engine = await (options.openEngine?.(world) ?? embeddedEngine({ folder, world, retentionMs, retentionBytes }));
  const shop = await openShop({
    engine,
    world,
    gateway: options.gateway ?? inProcessGateway(),
    mailer: noMail,
    dispatchAfterMs: 0,
    paymentDeadlineMs: undefined,
  });
  if (options.folder === undefined || options.isNew === true)
    await seed(engine, shop.publisher, world, products(options.skus));
  const stop = new AbortController();
  let listener: (type: string, orderId: string) => void = () => {};
  const following = follow(shop, (type, orderId) => listener(type, orderId), stop.signal);
  let count = 0;
  const stats = () => engine.file?.stats() ?? noStats;
  return {
    folder,
    shop,
    file: engine.file,
    stats,
    place() {
      const order = nthOrder(count++, options);
      return { orderId: order.orderId, placed: shop.publisher.publish(orderPlace, order) };
    },
    only: (next) => void (listener = next),
    async quiet(forMs) {
      let waves = stats().waves;
      for (let sinceMs = performance.now(); performance.now() - sinceMs < forMs;) {
        await new Promise((resolve) => setImmediate(resolve));
        if (waves === stats().waves) continue;
        waves = stats().waves;
        sinceMs = performance.now();
      }
    },
    fileBytes: () => ["waybill.db", "waybill.db-wal"].reduce((sum, name) => sum + sizeOf(join(folder, name)), 0),
    messages: async () => shop.worker.lanes().reduce((sum, lane) => sum + lane.counts.messages, 0) + count,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await following;
      await shop[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function products(count: number): SampleProduct[] {
  const thing = { price: "12.50", currency: "GBP", onHand: 100_000_000 } as const;
  return Array.from({ length: count }, (_, at) => ({ sku: `SKU-${at}`, title: `Thing SKU-${at}`, ...thing }));
}

/** Three lines of different SKUs; with `hot` the first is the same in every order. */
function nthOrder(n: number, { skus, hot, skuAt }: LoadOptions): OrderPlace {
  const nowMs = Date.now();
  const lines = [1, 7, 13].map((step, at) => ({
    sku: skuAt?.(n, at) ?? `SKU-${at === 0 && hot === true ? 0 : 1 + ((n * step + at) % (skus - 1))}`,
    quantity: 1 + (n % 3),
  }));
  const customer = { id: `c-${n % 5_000}`, email: `c-${n % 5_000}@customers.example` };
  return {
    orderId: timeOrderedId(nowMs, n),
    placedAtMs: nowMs,
    customer,
    currency: "GBP",
    payment: { token: "tok_approved" },
    lines,
  };
}

/** In the layout of a UUID of version 7, so that ids made later sort later. */
function timeOrderedId(nowMs: number, n: number): string {
  const time = nowMs.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

async function follow(shop: Shop, tell: (type: string, orderId: string) => void, signal: AbortSignal): Promise<void> {
  const transport = shop.engine.durable.transportOf("orders");
  await using reader = transport.reader(await endOf(transport, "orders"));
  while (!signal.aborted) {
    const { messages } = await reader.fetch({ messages: 4_096, bytes: 8_388_608, waitMs: 1_000 }, signal);
    for (const { type, subject } of messages) tell(type, subject);
  }
}
