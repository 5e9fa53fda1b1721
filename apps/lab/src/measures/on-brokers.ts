import { startKafka, startNats, startPostgres, type Server } from "@waybill/brokers";
import { effective, openEngine } from "@waybill/server";
import { migrate } from "@waybill/store-postgres";
import type { World } from "@waybill/messaging";
import { drive, quantile, type Driven } from "../drive.ts";
import { openShopUnderLoad, type LoadOptions, type ShopUnderLoad } from "../shop-under-load.ts";

export interface OnBrokers extends Driven {
  readonly engine: "nats" | "kafka";
  /** One order after the other, each alone in the shop. */
  readonly aloneMs: { readonly p50: number; readonly p99: number };
}

/** Orders placed → completed on servers of its own, all on this machine, synced to disk before they are acknowledged. */
export async function onBrokers(
  options: LoadOptions & {
    readonly engine: "nats" | "kafka";
    readonly seconds: number;
    readonly inFlight: number;
    /** How many orders are placed alone. */
    readonly orders: number;
  },
): Promise<OnBrokers> {
  const { engine } = options;
  await using broker = engine === "nats" ? await startNats() : await startKafka();
  await using postgres = await startPostgres();
  await migrate({ url: postgres.url });
  await using load = await openShopUnderLoad({ ...options, openEngine: opener(engine, broker, postgres) });
  const driven = await drive(load, { ...options, orders: Infinity, warmUp: 3 * options.inFlight });
  const alone: number[] = [];
  for (let at = 0; at < options.orders; at++) alone.push(await confirmedAlone(load));
  alone.sort((a, b) => a - b);
  return { ...driven, engine, aloneMs: { p50: quantile(alone, 0.5), p99: quantile(alone, 0.99) } };
}

/** Opens the shop's engine on these servers. */
export function opener(engine: "nats" | "kafka", broker: Server, postgres: Server, schema?: string) {
  // One process: a lane a service makes the largest batches.
  const services = Object.fromEntries(
    ["payments", "fulfilment", "notifications", "listing"].map((name) => [name, { lanes: 1 }]),
  );
  const config = effective({
    engine,
    services,
    postgres: { url: postgres.url, ...(schema === undefined ? {} : { schema }) },
    [engine]: { url: broker.url },
  });
  return (world: World) => openEngine(config, { world, data: "" });
}

/** How long it takes from placing an order to its confirmation, in milliseconds, when nothing else is under way. */
async function confirmedAlone(load: ShopUnderLoad): Promise<number> {
  const beganMs = performance.now();
  const { promise: completed, resolve } = Promise.withResolvers<void>();
  let confirmedMs = Number.NaN;
  const { orderId } = load.place();
  load.only((type, of) => {
    if (of !== orderId) return;
    if (type === "order.confirmed") confirmedMs = performance.now() - beganMs;
    if (type === "order.completed") resolve();
  });
  await completed;
  return confirmedMs;
}
