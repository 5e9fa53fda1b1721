import { catalogue } from "@waybill/catalogue";
import { allMessages, allTopics } from "@waybill/contracts";
import { fulfilment } from "@waybill/fulfilment";
import { inventory } from "@waybill/inventory";
import { listing } from "@waybill/listing";
import {
  openPublisher,
  reads,
  startWorker,
  type LaneLimits,
  type Publisher,
  type Service,
  type Worker,
  type World,
} from "@waybill/messaging";
import { mailEffects, notifications, type Mailer } from "@waybill/notifications";
import { orders } from "@waybill/orders";
import { gatewayEffects, payments, type PaymentGateway } from "@waybill/payments";
import { hostname } from "node:os";
import { partitions, type Engine } from "./engine.ts";
import type { Meter } from "./metrics/meter.ts";

/** Names the code that runs, so that inputs parked by another build are tried again. */
export const build = "0.1.0";

export interface ShopOptions {
  readonly engine: Engine;
  readonly world: World;
  readonly gateway: PaymentGateway;
  readonly mailer: Mailer;
  /** How long after its confirmation an order leaves by itself; undefined: a person dispatches it. */
  readonly dispatchAfterMs: number | undefined;
  /** How long a reserved order waits for its money. */
  readonly paymentDeadlineMs: number | undefined;
  readonly limits?: Partial<LaneLimits>;
  /** Counts commits and calls, if they shall be counted. */
  readonly meter?: Meter;
}

/** The shop's services at work on an engine. */
export interface Shop extends AsyncDisposable {
  readonly engine: Engine;
  readonly world: World;
  readonly publisher: Publisher;
  readonly worker: Worker;
}

/** Every service of the shop, on one page. */
export function shopServices(options: Pick<ShopOptions, "dispatchAfterMs" | "paymentDeadlineMs">): readonly Service[] {
  const { dispatchAfterMs, paymentDeadlineMs } = options;
  return [
    catalogue(),
    orders(paymentDeadlineMs === undefined ? {} : { paymentDeadlineMs }),
    inventory(),
    payments(),
    fulfilment(dispatchAfterMs === undefined ? {} : { dispatchAfterMs }),
    notifications(),
    listing(),
  ];
}

/** The most lanes that each service of the shop can have. */
export function lanesMaxOf(): ReadonlyMap<string, number> {
  const services = shopServices({ dispatchAfterMs: undefined, paymentDeadlineMs: undefined });
  return new Map(services.map(({ name, lanesMax = partitions }) => [name, Math.min(lanesMax, partitions)]));
}

/** Opens the shop: declares its topics, starts its services, and takes messages at its doors. */
export async function openShop(options: ShopOptions): Promise<Shop> {
  const { engine, world, gateway, mailer, meter } = options;
  const services = shopServices(options);
  await engine.declare(allTopics, new Map(services.map((service) => [service.name, reads(service)])));
  const transportOf = (topic: string) => engine.transportOf(topic);
  const adapters = { ...gatewayEffects(gateway), ...mailEffects(mailer) };
  const worker = await startWorker({
    store: meter?.store(engine.store) ?? engine.store,
    world,
    services: services.map((service) => ({ service, lanes: 1 })),
    types: allMessages,
    adapters: meter?.adapters(adapters) ?? adapters,
    transportOf,
    partitions,
    build,
    host: `${hostname()}:${process.pid}`,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const publisher = openPublisher({
    transportOf,
    partitions,
    producer: "/waybill/http",
    nowMs: () => engine.store.nowMs(),
    newId: () => world.newId(),
  });
  return {
    engine,
    world,
    publisher,
    worker,
    [Symbol.asyncDispose]: async () => {
      await publisher[Symbol.asyncDispose]();
      await worker.close();
    },
  };
}
