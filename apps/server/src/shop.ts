import {
  openPublisher,
  reads,
  startRelay,
  startWorker,
  type LaneLimits,
  type Publisher,
  type Service,
  type Worker,
  type WorkerOptions,
  type World,
} from "@waybill/messaging";
import { mailEffects, type Mailer } from "@waybill/notifications";
import { gatewayEffects, type PaymentGateway } from "@waybill/payments";
import { hostname } from "node:os";
import { partitions, type Engine } from "./engine.ts";
import type { Meter } from "./metrics/meter.ts";
import { removedNames } from "./removed.ts";
import { ownAdapters, shopContract, shopServices, type ShopTimes } from "./services.ts";

/** Names the code that runs, so that inputs parked by another build are tried again. */
export const build = "0.1.0";

export interface ShopOptions extends ShopTimes {
  readonly engine: Engine;
  readonly world: World;
  /** Undefined where payments runs in another process. */
  readonly gateway: PaymentGateway | undefined;
  readonly mailer: Mailer;
  readonly limits?: Partial<LaneLimits>;
  /** Counts commits and calls, if they shall be counted. */
  readonly meter?: Meter;
  /** Which services work in this process. Default: all. */
  readonly only?: readonly string[] | undefined;
}

/** The shop's services at work on an engine. */
export interface Shop extends AsyncDisposable {
  readonly engine: Engine;
  readonly world: World;
  readonly publisher: Publisher;
  readonly worker: Worker;
  /** The services that work in this process. */
  readonly services: readonly Service[];
  /** Ends the work on lanes, so that others may go on with them; doors stay open. */
  handOver(): Promise<void>;
}

/** Opens the shop: declares its topics, starts its services, and takes messages at its doors. */
export async function openShop(options: ShopOptions): Promise<Shop> {
  const { engine, world, only } = options;
  const all = shopServices(options);
  const contract = shopContract(all);
  const services = only === undefined ? all : all.filter(({ name }) => only.includes(name));
  await engine.declare(contract.topics, new Map(all.map((service) => [service.name, reads(service)])));
  const removed = await removedNames(engine.keeping, all);
  if (removed.length > 0)
    world.log("warn", "Something is kept of services that are no longer part of the shop.", { removed });
  await using open = new AsyncDisposableStack();
  const worker = services.length === 0 ? idle : await startWorker(workerOptions(options, services, contract.messages));
  let handed: Promise<void> | undefined;
  const handOver = () => (handed ??= worker.close());
  open.defer(handOver);
  const transportOf = (topic: string) => engine.transportOf(topic);
  const { spool } = engine;
  const relay = spool && open.use(startRelay({ spool, transportOf, world }));
  const bare = open.use(
    openPublisher({
      transportOf,
      partitions,
      producer: "/waybill/http",
      nowMs: () => engine.store.nowMs(),
      newId: () => world.newId(),
      relay,
    }),
  );
  const publisher = options.meter?.publisher(bare) ?? bare;
  const kept = open.move();
  return { engine, world, publisher, worker, services, handOver, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function workerOptions(
  options: ShopOptions,
  services: readonly Service[],
  types: WorkerOptions["types"],
): WorkerOptions {
  const { engine, world, gateway, mailer, meter, limits } = options;
  const shops = { ...(gateway === undefined ? {} : gatewayEffects(gateway)), ...mailEffects(mailer) };
  const adapters = ownAdapters((name) => services.some((service) => service.name === name), shops);
  return {
    store: meter?.store(engine.store) ?? engine.store,
    world,
    mirrors: engine.mirrors,
    services: services.map((service) => ({ service, lanes: engine.lanesOf(service.name) })),
    types,
    adapters: meter?.adapters(adapters) ?? adapters,
    transportOf: (topic) => engine.transportOf(topic),
    partitions,
    build,
    // Where others can take over, whoever died is found at the tick after its lease: within five seconds.
    ttlMs: engine.name === "embedded" ? 5_000 : 3_500,
    host: `${hostname()}:${process.pid}`,
    ...(limits === undefined ? {} : { limits }),
  };
}

/** A process that runs no lanes. */
const idle: Worker = {
  memberId: "",
  lanes: () => [],
  redrive: async () => false,
  discard: async () => false,
  acceptLoss: async () => false,
  close: async () => undefined,
  [Symbol.asyncDispose]: async () => undefined,
};
