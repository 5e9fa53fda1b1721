import type { ShopUnderLoad } from "./shop-under-load.ts";

/** What a closed loop of orders showed. */
export interface Driven {
  readonly orders: number;
  readonly seconds: number;
  readonly ordersPerSecond: number;
  readonly messagesPerOrder: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly waves: number;
  readonly rows: number;
  readonly bytes: number;
  readonly cpuMicrosPerOrder: number;
  readonly mainMicrosPerOrder: number;
}

/** Places orders with so many under way at once, for so long or until so many are completed, and counts completions. */
export async function drive(
  load: ShopUnderLoad,
  options: { readonly inFlight: number; readonly seconds?: number; readonly orders?: number; readonly warmUp?: number },
): Promise<Driven> {
  const { inFlight, seconds = Infinity, orders = Infinity, warmUp = 0 } = options;
  const placedAt = new Map<string, number>();
  const latencies: number[] = [];
  let placed = 0;
  let completed = 0;
  let wake = () => {};
  load.only((type, orderId) => {
    if (type !== "order.completed") return;
    const at = placedAt.get(orderId);
    if (at === undefined) return;
    placedAt.delete(orderId);
    completed += 1;
    if (latencies.length < 1_000_000) latencies.push(performance.now() - at);
    wake();
  });
  const room = () => new Promise<void>((resolve) => (wake = resolve));
  const placeOne = () => {
    const { orderId, placed: stored } = load.place();
    placedAt.set(orderId, performance.now());
    placed += 1;
    stored.catch((error: unknown) => process.stderr.write(`An order was refused: ${String(error)}\n`));
  };
  const run = async (until: () => boolean) => {
    while (!until()) {
      // A few at a time, so that the shop's own work goes on between.
      for (let burst = 0; burst < 64 && placedAt.size < inFlight && !until(); burst++) placeOne();
      await (placedAt.size < inFlight ? new Promise((resolve) => setImmediate(resolve)) : room());
    }
  };
  await run(() => placed >= warmUp);
  latencies.length = 0;
  const before = { completed, placed, stats: { ...load.stats() }, messages: await load.messages() };
  const cpu = process.cpuUsage();
  const main = process.threadCpuUsage();
  const beganMs = performance.now();
  await run(() => performance.now() - beganMs >= seconds * 1_000 || placed - before.placed >= orders);
  const inTime = { completed, endedMs: performance.now(), stats: { ...load.stats() }, messages: await load.messages() };
  const used = { all: process.cpuUsage(cpu), main: process.threadCpuUsage(main) };
  while (completed < placed) await room();
  const done = inTime.completed - before.completed;
  const secondsRun = (inTime.endedMs - beganMs) / 1_000;
  latencies.sort((a, b) => a - b);
  return {
    orders: done,
    seconds: secondsRun,
    ordersPerSecond: done / secondsRun,
    messagesPerOrder: (inTime.messages - before.messages) / done,
    latencyMs: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
    waves: inTime.stats.waves - before.stats.waves,
    rows: inTime.stats.rows - before.stats.rows,
    bytes: inTime.stats.bytes - before.stats.bytes,
    cpuMicrosPerOrder: (used.all.user + used.all.system) / done,
    mainMicrosPerOrder: (used.main.user + used.main.system) / done,
  };
}

/** The value below which so much of a sorted list lies. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
