import { drive } from "../drive.ts";
import { openShopUnderLoad } from "../shop-under-load.ts";

export interface Memory {
  readonly orders: number;
  readonly ordersPerSecond: number;
  /** Resident memory in MiB after each tenth of the orders. */
  readonly rssMiB: readonly number[];
  /** After everything was completed and a collection. */
  readonly heapMiBAtEnd: number;
  readonly fileMiB: number;
}

/** The memory of a shop as orders pass through it, with retention on. */
export async function memory(options: {
  readonly base: string;
  readonly orders: number;
  readonly inFlight: number;
}): Promise<Memory> {
  await using load = await openShopUnderLoad({
    base: options.base,
    skus: 1_000,
    retentionMs: 60_000,
    retentionBytes: 268_435_456,
  });
  const rssMiB: number[] = [];
  let orders = 0;
  let seconds = 0;
  for (let part = 0; part < 10; part++) {
    const driven = await drive(load, { inFlight: options.inFlight, orders: Math.ceil(options.orders / 10) });
    orders += driven.orders;
    seconds += driven.seconds;
    rssMiB.push(Math.round(process.memoryUsage().rss / 1_048_576));
  }
  await load.quiet(50);
  globalThis.gc?.();
  return {
    orders,
    ordersPerSecond: orders / seconds,
    rssMiB,
    heapMiBAtEnd: Math.round(process.memoryUsage().heapUsed / 1_048_576),
    fileMiB: Math.round(load.fileBytes() / 1_048_576),
  };
}
