import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Admin } from "@platformatic/kafka";
import { startKafka, startNats, startPostgres, type Server } from "@waybill/brokers";
import { topics } from "@waybill/contracts";
import { migrate } from "@waybill/store-postgres";
import { drive } from "../drive.ts";
import { fillerOf, skuOf } from "../growth/fill.ts";
import { progress } from "../growth/progress.ts";
import { opener } from "../measures/on-brokers.ts";
import { openShopUnderLoad, type ShopUnderLoad } from "../shop-under-load.ts";
import { processorSeconds } from "./processor-time.ts";

export type Broker = "nats" | "kafka";

/** What orders cost in one round. */
export interface Round {
  /** Messages that the topics held. */
  readonly messages: number;
  /** Of shop, broker and database together, for each message that the orders became. */
  readonly cpuMicrosPerMessage: number;
}

/** The rounds at one size. */
export interface Stop {
  readonly messages: number;
  readonly products: number;
  readonly rssMiB: number;
  readonly rounds: readonly Round[];
}

export interface Grown {
  readonly messages: readonly Stop[];
  readonly products: readonly Stop[];
}

export interface GrowthOptions {
  readonly engine: Broker;
  readonly base: string;
  /** How many messages are stored at each stop, and how many products there are. */
  readonly messages: readonly number[];
  readonly products: readonly number[];
}

const productsAtFirst = 100;
const inFlight = 256;
const ordersPerRound = 250;
const roundsPerStop = 7;
const warmUpOrders = 8_000;
const stillMs = 300;

/**
 * A shop whose logs grow from stop to stop, and then its products, of which each order takes any three. Processor time says
 * what a message costs; the time on the clock of a machine with several servers says who waited for whom.
 */
export async function growOnBroker(options: GrowthOptions): Promise<Grown> {
  const { engine, base } = options;
  await using broker = engine === "nats" ? await startNats() : await startKafka({ heapMb: 768 });
  await using postgres = await startPostgres();
  await warmUp(options, broker, postgres);
  let products = productsAtFirst;
  const skuAt = (): string => skuOf(Math.floor(Math.random() * products));
  const openEngine = opener(engine, broker, postgres);
  await migrate({ url: postgres.url });
  await using load = await openShopUnderLoad({ base, skus: productsAtFirst, skuAt, openEngine });
  const servers = [broker.pid, postgres.pid];
  const filler = fillerOf(load, () => storedOn(engine, load));
  const stopAt = () => measured(engine, load, servers, products);

  const byMessages: Stop[] = [];
  for (const stop of options.messages) {
    await filler.messages(stop, productsAtFirst, progress("messages stored", stop));
    byMessages.push(await stopAt());
  }
  const byProducts: Stop[] = [];
  for (const stop of options.products) {
    await filler.products(products, stop, progress("products", stop));
    products = stop;
    byProducts.push(await stopAt());
  }
  return { messages: byMessages, products: byProducts };
}

/** Lets Node and Java compile what runs often, in a shop on the same servers of which nothing is left. */
async function warmUp({ engine, base }: GrowthOptions, broker: Server, postgres: Server): Promise<void> {
  process.stderr.write("warming up …\n");
  const schema = "warm";
  await migrate({ url: postgres.url, schema });
  {
    const openEngine = opener(engine, broker, postgres, schema);
    await using load = await openShopUnderLoad({ base, skus: productsAtFirst, openEngine });
    await drive(load, { inFlight, orders: warmUpOrders });
  }
  const names = Object.values(topics).map(({ name }) => name);
  await (engine === "nats" ? deleteStreams(broker.url, names) : deleteTopics(broker.url, names));
}

async function deleteStreams(servers: string, names: readonly string[]): Promise<void> {
  const connection = await connect({ servers });
  const manager = await jetstreamManager(connection);
  for (const name of names) await manager.streams.delete(name);
  await connection.close();
}

async function deleteTopics(url: string, names: readonly string[]): Promise<void> {
  const admin = new Admin({ clientId: "waybill-lab", bootstrapBrokers: [url] });
  await admin.deleteTopics({ topics: [...names] });
  for (let left = [...names]; left.length > 0;) {
    await sleep(stillMs);
    const listed = await admin.listTopics();
    left = left.filter((name) => listed.includes(name));
  }
  await admin.close();
}

/** Messages that the topics hold. Partitions of a topic share their offsets on NATS. */
async function storedOn(engine: Broker, { shop }: ShopUnderLoad): Promise<number> {
  let stored = 0;
  for (const { name } of Object.values(topics)) {
    const bounds = await shop.engine.transportOf(name).bounds(name);
    const counts = bounds.map(({ firstOffset, nextOffset }) =>
      engine === "nats" ? nextOffset - 1 : nextOffset - firstOffset,
    );
    stored += engine === "nats" ? Math.max(...counts) : counts.reduce((sum, count) => sum + count, 0);
  }
  return stored;
}

async function measured(
  engine: Broker,
  load: ShopUnderLoad,
  servers: readonly number[],
  products: number,
): Promise<Stop> {
  // The first round pays for what the filling has left to do.
  await roundOf(engine, load, servers);
  const messages = await storedOn(engine, load);
  const rounds: Round[] = [];
  for (let round = 0; round < roundsPerStop; round++) rounds.push(await roundOf(engine, load, servers));
  const rssMiB = Math.round(process.memoryUsage().rss / 1_048_576);
  const told = rounds.map(({ cpuMicrosPerMessage }) => cpuMicrosPerMessage.toFixed(0)).join(" ");
  process.stderr.write(`${engine}: ${messages} messages, ${products} products, ${rssMiB} MiB: ${told} µs a message\n`);
  return { messages, products, rssMiB, rounds };
}

/** What so many orders cost from the first to the last, until nothing of them is left to do. */
async function roundOf(engine: Broker, load: ShopUnderLoad, servers: readonly number[]): Promise<Round> {
  await still(load);
  globalThis.gc?.();
  const before = await storedOn(engine, load);
  const beganSeconds = processorSeconds(servers);
  await drive(load, { inFlight, orders: ordersPerRound });
  await still(load);
  const seconds = processorSeconds(servers) - beganSeconds;
  const after = await storedOn(engine, load);
  return { messages: Math.round((before + after) / 2), cpuMicrosPerMessage: (seconds * 1e6) / (after - before) };
}

/** Waits until no lane has handled anything for a moment. */
async function still({ shop }: ShopUnderLoad): Promise<void> {
  const handled = (): number => shop.worker.lanes().reduce((sum, { counts }) => sum + counts.inputs, 0);
  for (let last = -1; last !== handled();) {
    last = handled();
    await sleep(stillMs);
  }
}
