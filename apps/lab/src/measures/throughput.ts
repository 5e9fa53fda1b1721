import { drive, type Driven } from "../drive.ts";
import { rawCommits } from "../raw-bound.ts";
import { openShopUnderLoad, type LoadOptions } from "../shop-under-load.ts";

export interface Throughput extends Driven {
  /** Seconds that the same commits of the same bytes took straight in SQLite, right after. */
  readonly rawSeconds: number;
}

/** Orders placed → completed in a closed loop, and the raw bound of what they wrote. */
export async function throughput(
  options: LoadOptions & { readonly seconds: number; readonly inFlight: number },
): Promise<Throughput> {
  await using load = await openShopUnderLoad(options);
  const driven = await drive(load, { ...options, warmUp: 3 * options.inFlight });
  return { ...driven, rawSeconds: rawCommits(options.base, driven.waves, driven.bytes) };
}
