import { setTimeout as sleep } from "node:timers/promises";
import { openShopUnderLoad } from "../shop-under-load.ts";

export interface Idle {
  readonly seconds: number;
  readonly writesPerSecond: number;
  readonly cpuPercent: number;
}

/** What a shop writes and computes while nobody wants anything of it. */
export async function idle(options: { readonly base: string; readonly seconds: number }): Promise<Idle> {
  await using load = await openShopUnderLoad({ base: options.base, skus: 1_000 });
  await load.quiet(1_500);
  const before = load.stats().waves;
  const cpu = process.cpuUsage();
  await sleep(options.seconds * 1_000);
  const used = process.cpuUsage(cpu);
  return {
    seconds: options.seconds,
    writesPerSecond: (load.stats().waves - before) / options.seconds,
    cpuPercent: (used.user + used.system) / 10_000 / options.seconds,
  };
}
