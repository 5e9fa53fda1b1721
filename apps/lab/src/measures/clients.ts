import { startKafka, startNats } from "@waybill/brokers";
import { measureAppends } from "@waybill/transport-kafka/bench";
import { measureNats } from "@waybill/transport-nats/bench";

/** Appends in messages a second, in turns with the broker's own client at the same durability. */
export interface Clients {
  readonly ours: number;
  readonly raw: number;
  readonly ratio: number;
}

export async function natsClient(): Promise<Clients> {
  await using server = await startNats();
  const { append } = await measureNats({ url: server.url, durationMs: 10_000, stored: 10_000 });
  return { ours: append.ours, raw: append.raw, ratio: append.oursToRaw };
}

export async function kafkaClient(): Promise<Clients> {
  await using server = await startKafka();
  const { waybill, raw } = await measureAppends(server.url);
  const [ours, theirs] = [median(waybill), median(raw)];
  return { ours, raw: theirs, ratio: ours / theirs };
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN;
}
