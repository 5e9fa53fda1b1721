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

/** What this process put for a topic. */
interface Behind {
  puts: number;
  /** How many of its puts are not durable yet. */
  underWay: number;
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
  /** Topics of which messages that this process put may wait. */
  const behind = new Map<string, Behind>();
  /** Topics whose broker did not take their oldest messages: the others go first. */
  const failing = new Set<string>();

  /** One look; true when the next may follow at once. */
  const look = async (): Promise<boolean> => {
    // What was not durable when the look began it may have missed.
    const seen = [...behind].filter(([topic, { underWay }]) => underWay === 0 && !failing.has(topic));
    const puts = seen.map(([, { puts }]) => puts);
    const taken = await spool.take(by, batch, leaseMs, [...failing]);
    if (taken !== undefined && taken.length > 0) return relay(taken);
    if (taken !== undefined) {
      for (const [at, [topic, now]] of seen.entries()) if (now.puts === puts[at]) behind.delete(topic);
    }
    failing.clear();
    return false;
  };

  const keep = async (messages: readonly ToSpool[]): Promise<void> => {
    const topics = [...new Set(messages.map(({ topic }) => topic))].map((topic) => {
      const found = behind.get(topic) ?? { puts: 0, underWay: 0 };
      behind.set(topic, found);
      found.puts += 1;
      found.underWay += 1;
      return found;
    });
    try {
      await spool.put(messages);
    } finally {
      for (const topic of topics) topic.underWay -= 1;
    }
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
    put: keep,
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
