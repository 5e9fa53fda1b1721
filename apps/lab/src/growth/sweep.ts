import { setTimeout as sleep } from "node:timers/promises";
import { drive } from "../drive.ts";
import { openShopUnderLoad, type ShopUnderLoad } from "../shop-under-load.ts";
import { fillerOf, skuOf, stored } from "./fill.ts";
import { progress } from "./progress.ts";

/** What orders cost in the shop that has grown, and in a new one beside it, in one pair of rounds. */
export interface Round {
  /** Messages that the grown shop's logs held, and products that it had. */
  readonly messages: number;
  readonly products: number;
  readonly grown: Cost;
  readonly fresh: Cost;
}

/** Of the whole process, all threads, for each message that the orders became. */
export interface Cost {
  readonly cpuMicrosPerMessage: number;
  readonly wallMicrosPerMessage: number;
}

/** The rounds at one size, and how much memory the process had then, with both shops in it. */
export interface Stop {
  readonly messages: number;
  readonly products: number;
  readonly rssMiB: number;
  readonly rounds: readonly Round[];
}

export interface SweepOptions {
  /** Where data folders are made. */
  readonly base: string;
  /** How large the shop is to be at each stop: messages stored, or products. */
  readonly stops: readonly number[];
}

export const productsAtFirst = 100;
export const inFlight = 256;
const ordersPerRound = 1_000;
const pairsPerStop = 7;
const stillMs = 20;
const warmUpOrders = 10_000;

/** A shop whose log grows from stop to stop while its products stay the same. It is left open, for whoever wants to kill it. */
export async function growMessages(options: SweepOptions): Promise<{ load: ShopUnderLoad; stops: readonly Stop[] }> {
  await warmUp(options.base);
  const load = await openShopUnderLoad({ base: options.base, skus: productsAtFirst });
  const filler = fillerOf(load);
  const stops: Stop[] = [];
  for (const stop of options.stops) {
    const told = progress("messages stored", stop);
    await filler.messages(stop, productsAtFirst, told);
    stops.push(await measured(options.base, load, productsAtFirst));
  }
  return { load, stops };
}

/** A shop that gets more products from stop to stop, of which each order takes any three. */
export async function growProducts(options: SweepOptions): Promise<readonly Stop[]> {
  await warmUp(options.base);
  let products = productsAtFirst;
  const skuAt = (): string => skuOf(Math.floor(Math.random() * products));
  await using load = await openShopUnderLoad({ base: options.base, skus: productsAtFirst, skuAt });
  const filler = fillerOf(load);
  const stops: Stop[] = [];
  for (const stop of options.stops) {
    await filler.products(products, stop, progress("products", stop));
    products = stop;
    stops.push(await measured(options.base, load, products));
  }
  return stops;
}

/** Lets Node compile what runs often, in a shop that is thrown away. */
async function warmUp(base: string): Promise<void> {
  process.stderr.write("warming up …\n");
  await using load = await openShopUnderLoad({ base, skus: productsAtFirst });
  await fillerOf(load).messages(200_000, productsAtFirst, () => {});
  await drive(load, { inFlight, orders: warmUpOrders });
}

/**
 * Orders in the grown shop and in a new one, in turns: on a machine with other work a figure by itself says more about
 * that work than about the shop.
 */
async function measured(base: string, load: ShopUnderLoad, products: number): Promise<Stop> {
  await still(load);
  await costOf(load);
  const size = { messages: stored(load), products };
  await using fresh = await openShopUnderLoad({ base, skus: productsAtFirst });
  await costOf(fresh);
  const rounds: Round[] = [];
  for (let pair = 0; pair < pairsPerStop; pair++) {
    const before = stored(load);
    const [first, second] = pair % 2 === 0 ? [load, fresh] : [fresh, load];
    const costs = [await costOf(first), await costOf(second)] as const;
    const [grown, other] = pair % 2 === 0 ? costs : [costs[1], costs[0]];
    rounds.push({ messages: Math.round((before + stored(load)) / 2), products, grown, fresh: other });
  }
  const rssMiB = Math.round(process.memoryUsage().rss / 1_048_576);
  const ratios = rounds.map((one) => one.grown.cpuMicrosPerMessage / one.fresh.cpuMicrosPerMessage);
  process.stderr.write(
    `${size.messages.toLocaleString("en")} messages, ${products.toLocaleString("en")} products, ${rssMiB} MiB; cost ÷ that of a new shop: ${ratios.map((ratio) => ratio.toFixed(2)).join(" ")}\n`,
  );
  return { ...size, rssMiB, rounds };
}

/** What so many orders cost from the first to the last, until nothing of them is left to do. */
async function costOf(load: ShopUnderLoad): Promise<Cost> {
  // Else one round pays for what another one has thrown away.
  globalThis.gc?.();
  const before = stored(load);
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  await drive(load, { inFlight, orders: ordersPerRound });
  const wallMs = performance.now() - beganMs;
  await still(load);
  const { user, system } = process.cpuUsage(cpu);
  const messages = stored(load) - before;
  return { cpuMicrosPerMessage: (user + system) / messages, wallMicrosPerMessage: (wallMs * 1_000) / messages };
}

/** Waits, without work of its own, until nothing has been stored for a moment. */
async function still(load: ShopUnderLoad): Promise<void> {
  for (let last = -1; last !== load.stats().waves;) {
    last = load.stats().waves;
    await sleep(stillMs);
  }
}
