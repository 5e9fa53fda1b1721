import { codeOf, messageOf, WaybillError } from "./errors.ts";
import type { Envelope } from "./message.ts";
import type { Spool, Spooled, ToSpool } from "./spool.ts";
import type { Append, Transport } from "./transport.ts";
import type { World } from "./world.ts";

/** What a relay takes messages from, and where it brings them. */
export interface RelayOptions {
  readonly spool: Spool;
  readonly transportOf: (topic: string) => Transport;
  readonly world: World;
  /** How long an append may take before its messages are kept here as well, in milliseconds. Default 2,000. */
  readonly patienceMs?: number;
  /** How many messages it takes and appends at a time. Default 500. */
  readonly batch?: number;
  /** How long it waits before it looks or tries again, in milliseconds. Default 1,000. */
  readonly everyMs?: number;
}

/** Keeps messages for doors while their broker is away, and appends them, oldest first, as soon as it is back. */
export interface Relay extends AsyncDisposable {
  /** True while messages of this process for the topic may wait in the spool: what comes now goes behind them. */
  isBehind(topic: string): boolean;
  /** Keeps messages until their broker is back; resolves when they are durable. */
  put(messages: readonly ToSpool[]): Promise<void>;
  /** What the append gave, or undefined when it took longer than one should wait for. */
  within<T>(append: Promise<T>): Promise<T | undefined>;
}

const leaseMs = 15_000;

/**
 * Starts to look into the spool. What another process put there and did not live to append is appended too; a message
 * whose append may or may not have been stored is appended again, which doors expect.
 */
export function startRelay(options: RelayOptions): Relay {
  const { spool, transportOf, world, patienceMs = 2_000, batch = 500, everyMs = 1_000 } = options;
  const by = world.newId();
  const stop = new AbortController();
  /** By topic, which of this process' puts was the last for it. */
  const behind = new Map<string, number>();
  /** Topics whose broker did not take their oldest messages: the others go first. */
  const failing = new Set<string>();
  let puts = 0;

  /** One look; true when the next may follow at once. */
  const look = async (): Promise<boolean> => {
    const before = puts;
    const taken = await spool.take(by, batch, leaseMs, [...failing]);
    if (taken.length > 0) return relay(taken);
    for (const [topic, put] of behind) if (put <= before && !failing.has(topic)) behind.delete(topic);
    failing.clear();
    return false;
  };

  const relay = async (taken: readonly Spooled[]): Promise<boolean> => {
    const stored = await Promise.all(
      [...byTransport(taken, transportOf)].map(async ([transport, destinations]) => {
        const appends = destinations.map(({ append }) => append);
        const results = await transport.append(appends, stop.signal);
        return destinations.flatMap(({ append, seqs }, at) => {
          if (results[at]!.ok) return seqs;
          failing.add(append.topic);
          return [];
        });
      }),
    );
    const seqs = stored.flat();
    if (seqs.length > 0) await spool.remove(seqs);
    return true;
  };

  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const again = await look().catch((error: unknown) => {
        if (!stop.signal.aborted) say(world, error);
        return false;
      });
      if (!again) await world.sleep(everyMs, stop.signal);
    }
  };

  const running = run();
  return {
    isBehind: (topic) => behind.has(topic),
    async put(messages) {
      puts += 1;
      for (const { topic } of messages) behind.set(topic, puts);
      await spool.put(messages);
    },
    async within(append) {
      const settled = new AbortController();
      const patience = world.sleep(patienceMs, settled.signal).then(() => undefined);
      try {
        return await Promise.race([append, patience]);
      } finally {
        settled.abort();
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new WaybillError("CLOSED", "The relay is closed."));
      await running;
    },
  };
}

function say(world: World, error: unknown): void {
  world.log("warn", "Messages that wait for their broker could not be appended; they are tried again.", {
    code: codeOf(error),
    error: messageOf(error),
  });
}

interface Destination {
  readonly append: Append & { readonly messages: Envelope[] };
  readonly seqs: number[];
}

/** Messages by destination, in their order, and destinations by the transport that they belong to. */
function byTransport(
  taken: readonly Spooled[],
  transportOf: (topic: string) => Transport,
): Map<Transport, readonly Destination[]> {
  const destinations = new Map<string, Destination>();
  const found = new Map<Transport, Destination[]>();
  for (const { topic, partition, seq, ...envelope } of taken) {
    const name = `${topic}/${partition}`;
    let destination = destinations.get(name);
    if (destination === undefined) {
      destination = { append: { topic, partition, messages: [] }, seqs: [] };
      destinations.set(name, destination);
      const transport = transportOf(topic);
      const of = found.get(transport);
      if (of === undefined) found.set(transport, [destination]);
      else of.push(destination);
    }
    destination.append.messages.push(envelope);
    destination.seqs.push(seq);
  }
  return found;
}
