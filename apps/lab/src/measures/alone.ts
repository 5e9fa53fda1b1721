import { drive, quantile } from "../drive.ts";
import { fsyncMs } from "../raw-bound.ts";
import { openShopUnderLoad, type ShopUnderLoad } from "../shop-under-load.ts";

export interface Alone {
  readonly orders: number;
  /** Placed → confirmed, as somebody sees it who reads only what is durable. */
  readonly confirmedMs: { readonly p50: number; readonly p99: number };
  readonly completedMs: { readonly p50: number; readonly p99: number };
  /** Commits, each with its fsync, from placing to the one that holds the confirmation. */
  readonly fsyncsToConfirmed: { readonly median: number; readonly max: number };
  readonly diskFsyncMs: { readonly p50: number; readonly p99: number };
}

const warmUpOrders = 10_000;

/** One order after the other, each alone in the shop. */
export async function alone(options: { readonly base: string; readonly orders: number }): Promise<Alone> {
  await using load = await openShopUnderLoad({ base: options.base, skus: 1_000 });
  // A shop that has been at work for a while: Node has compiled what it runs often.
  await drive(load, { inFlight: 256, orders: warmUpOrders });
  await load.quiet(50);
  const fsyncs: number[] = [];
  const confirmed: number[] = [];
  const completed: number[] = [];
  const disk: { p50: number; p99: number }[] = [];
  for (let at = 0; at < options.orders; at++) {
    const one = await placeAlone(load);
    fsyncs.push(one.fsyncs);
    confirmed.push(one.confirmedMs);
    completed.push(one.completedMs);
    if (at % 100 === 0) disk.push(fsyncMs(options.base, 50));
  }
  for (const list of [fsyncs, confirmed, completed]) list.sort((a, b) => a - b);
  disk.sort((a, b) => a.p50 - b.p50);
  return {
    orders: options.orders,
    confirmedMs: { p50: quantile(confirmed, 0.5), p99: quantile(confirmed, 0.99) },
    completedMs: { p50: quantile(completed, 0.5), p99: quantile(completed, 0.99) },
    fsyncsToConfirmed: { median: quantile(fsyncs, 0.5), max: fsyncs.at(-1) ?? Number.NaN },
    diskFsyncMs: disk[disk.length >> 1] ?? fsyncMs(options.base),
  };
}

/** Places an order when nothing else is under way, and waits until it is completed and everything is written. */
async function placeAlone(load: ShopUnderLoad): Promise<{ fsyncs: number; confirmedMs: number; completedMs: number }> {
  const before = load.stats().waves;
  const beganMs = performance.now();
  let confirmed = { ms: Number.NaN, waves: Number.NaN };
  const { promise, resolve } = Promise.withResolvers<number>();
  const { orderId } = load.place();
  load.only((type, of) => {
    if (of !== orderId) return;
    if (type === "order.confirmed") confirmed = { ms: performance.now() - beganMs, waves: load.stats().waves };
    if (type === "order.completed") resolve(performance.now() - beganMs);
  });
  const completedMs = await promise;
  await load.quiet(2);
  return { fsyncs: confirmed.waves - before, confirmedMs: confirmed.ms, completedMs };
}
