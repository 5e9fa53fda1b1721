import type { Transport } from "../transport.ts";
import { Feeds, type FeedsOptions } from "./feeds.ts";
import { SharedReader } from "./shared-reader.ts";

/**
 * The same transport, but for its readers: those that keep up with a topic read it along with each other, once for all of
 * them. One that lags, or a topic that only one reads, is read alone.
 */
export function shareReading(transport: Transport, options: FeedsOptions): Transport {
  const feeds = new Feeds(transport, options);
  return {
    name: transport.name,
    declare: (topic) => transport.declare(topic),
    append: (batches, signal) => transport.append(batches, signal),
    reader: (from) => new SharedReader(from, transport, feeds),
    read: (topic, partition, offset) => transport.read(topic, partition, offset),
    bounds: (topic, atMs) => transport.bounds(topic, atMs),
    report: (service, positions) => transport.report(service, positions),
    async [Symbol.asyncDispose]() {
      await feeds.close();
      await transport[Symbol.asyncDispose]();
    },
  };
}
