import { productPut, stockAdjust } from "@waybill/contracts";
import { partitionOf, type Append, type AnyMessageType, type Envelope } from "@waybill/messaging";
import { partitions } from "@waybill/server";
import type { ShopUnderLoad } from "../shop-under-load.ts";

/** How many puts go into one append, and how many may wait to be handled. */
const batchPuts = 4_000;
const aheadMax = 16_000;
const longMs = 120_000;

/** Puts messages in by the engine's own log, in large batches, and lets the shop handle each of them as it handles any. */
export interface Filler {
  /** Puts the first `skus` products again as they are, one after the other, until the log holds so many messages. */
  messages(until: number, skus: number, progress: (messages: number) => void): Promise<void>;
  /** Adds products, each with stock, from number `from` up to `to`. */
  products(from: number, to: number, progress: (products: number) => void): Promise<void>;
}

/** Messages that the shop's logs hold. */
export function stored({ file }: ShopUnderLoad): number {
  let sum = 0;
  for (const { nextOffset, firstOffset } of file!.log.topics.values()) sum += nextOffset - firstOffset;
  return sum;
}

/** `count` tells how many messages the logs hold; those of an embedded file unless it is given. */
export function fillerOf(load: ShopUnderLoad, count: () => number | Promise<number> = () => stored(load)): Filler {
  const { engine, worker } = load.shop;
  let written = 0;
  const handledOf = (service: string): number =>
    worker.lanes().reduce((sum, lane) => (lane.service === service ? sum + lane.counts.inputs : sum), 0);

  async function append(envelopes: readonly Envelope[], topic: string): Promise<void> {
    const byPartition = Map.groupBy(envelopes, ({ key }) => partitionOf(key, partitions));
    const batches = Array.from(byPartition, ([partition, messages]): Append => ({ topic, partition, messages }));
    const results = await engine.transportOf(topic).append(batches, new AbortController().signal);
    for (const result of results) if (!result.ok) throw result.error;
  }

  const put = (n: number): Envelope =>
    envelopeOf(productPut, ++written, {
      sku: skuOf(n),
      title: `Thing ${skuOf(n)}`,
      price: "12.50",
      currency: "GBP",
      active: true,
    });
  const stock = (n: number): Envelope =>
    envelopeOf(stockAdjust, ++written, {
      adjustmentId: `first/${skuOf(n)}`,
      sku: skuOf(n),
      quantity: 1_000_000,
      reason: "Counted",
    });

  const handled = (service: string, atLeast: number): Promise<void> => until(() => handledOf(service) >= atLeast);

  return {
    async messages(target, skus, progress) {
      let sent = handledOf("catalogue");
      let at = 0;
      for (let held = await count(); held < target; held = await count()) {
        const more = Math.min(batchPuts, target - held);
        await append(
          Array.from({ length: more }, () => put(at++ % skus)),
          productPut.topic.name,
        );
        sent += more;
        await handled("catalogue", sent - aheadMax);
        progress(held + more);
      }
      await handled("catalogue", sent);
    },
    async products(from, to, progress) {
      let [puts, counts] = [handledOf("catalogue"), handledOf("inventory")];
      for (let at = from; at < to; at += batchPuts) {
        const numbers = Array.from({ length: Math.min(batchPuts, to - at) }, (_, n) => at + n);
        await append(numbers.map(put), productPut.topic.name);
        await append(numbers.map(stock), stockAdjust.topic.name);
        puts += numbers.length;
        counts += numbers.length;
        await handled("catalogue", puts - aheadMax);
        await handled("inventory", counts - aheadMax);
        progress(at + numbers.length);
      }
      await handled("catalogue", puts);
      await handled("inventory", counts);
    },
  };
}

export const skuOf = (n: number): string => `SKU-${n}`;

function envelopeOf(type: AnyMessageType, n: number, body: unknown): Envelope {
  return {
    id: `fill-${n}`,
    type: type.name,
    schema: type.version,
    subject: type.subject(body),
    key: type.key(body),
    producer: "/waybill/lab",
    atMs: Date.now(),
    correlation: `fill-${n}`,
    body: JSON.stringify(body),
  };
}

async function until(isSo: () => boolean): Promise<void> {
  for (const beganMs = performance.now(); !isSo();) {
    if (performance.now() - beganMs > longMs) throw new Error(`The shop has not caught up for ${longMs / 1_000} s.`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
