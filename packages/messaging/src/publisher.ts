import type { MessageType } from "./contract.ts";
import { messageOf, WaybillError } from "./errors.ts";
import { keyText } from "./ids.ts";
import { deferred, type Deferred } from "./lane/wake.ts";
import type { Envelope } from "./message.ts";
import { partitionOf } from "./partition.ts";
import type { Relay } from "./relay.ts";
import { checked } from "./schema.ts";
import { checkSize } from "./size.ts";
import type { AppendResult, Transport } from "./transport.ts";

/** Where a published message lies, once it is stored. */
export interface Published {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  /** The offset of the last message stored with it in the same append; its own lies at or before it. Undefined while it
   *  waits, just as durable, in the spool. */
  readonly offset?: number | undefined;
}

/** What a publisher writes with, and what it calls itself. */
export interface PublisherOptions {
  readonly transportOf: (topic: string) => Transport;
  readonly partitions: number;
  /** What this process calls itself in `source`. */
  readonly producer: string;
  readonly nowMs: () => number;
  readonly newId: () => string;
  /** Messages that may wait to be stored; beyond that BACKLOG_FULL. Default 10,000. */
  readonly waitingMax?: number;
  /** Takes messages whose broker is away; without one `publish` throws then. */
  readonly relay?: Relay | undefined;
}

/** Writes to doors: what is not a service sends its messages in through this. */
export interface Publisher extends AsyncDisposable {
  /**
   * Checks the body and resolves when the message is stored. Throws MESSAGE_INVALID, KEY_INVALID, BACKLOG_FULL, or the
   * transport's error; after such an error it may be stored all the same, so publish again with the same id.
   */
  publish<T>(
    type: MessageType<T>,
    body: NoInfer<T>,
    options?: { readonly id?: string; readonly atMs?: number; readonly traceparent?: string },
  ): Promise<Published>;
}

interface Waiting {
  readonly envelope: Envelope;
  readonly done: Deferred<Published>;
}

interface Destination {
  readonly topic: string;
  readonly partition: number;
  waiting: Waiting[];
  busy: boolean;
}

const appendMax = 1_000;

/** A publisher with one unresolved append a destination; what comes meanwhile goes with the next. */
export function openPublisher(options: PublisherOptions): Publisher {
  const { relay } = options;
  const destinations = new Map<string, Destination>();
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  let waitingCount = 0;
  let scheduled = false;

  const destinationOf = (topic: string, partition: number): Destination => {
    const name = `${topic}/${partition}`;
    let destination = destinations.get(name);
    if (destination === undefined) {
      destination = { topic, partition, waiting: [], busy: false };
      destinations.set(name, destination);
    }
    return destination;
  };

  const flush = (): void => {
    scheduled = false;
    const ready = new Map<Transport, Destination[]>();
    for (const destination of destinations.values()) {
      if (relay?.isBehind(destination.topic)) keep(relay, destination, destination.waiting.splice(0));
      if (destination.busy || destination.waiting.length === 0) continue;
      destination.busy = true;
      const transport = options.transportOf(destination.topic);
      const of = ready.get(transport);
      if (of === undefined) ready.set(transport, [destination]);
      else of.push(destination);
    }
    for (const [transport, of] of ready) {
      track(append(transport, of));
    }
  };

  const track = (work: Promise<void>): void => {
    running.add(work);
    void work.finally(() => running.delete(work));
  };

  /** Puts messages where they are safe until their broker is back. */
  const keep = (relay: Relay, of: Destination, waiting: readonly Waiting[]): void => {
    if (waiting.length === 0) return;
    const messages = waiting.map(({ envelope }) => ({ ...envelope, ...place(of) }));
    const kept = relay.put(messages).then(
      () => waiting.forEach(({ envelope, done }) => done.resolve({ id: envelope.id, ...place(of) })),
      (error: unknown) => waiting.forEach(({ done }) => done.reject(error)),
    );
    track(kept.finally(() => void (waitingCount -= waiting.length)));
  };

  const settle = (of: Destination, waiting: readonly Waiting[], result: AppendResult | undefined): void => {
    if (relay !== undefined && (result === undefined || isAway(result))) return keep(relay, of, waiting);
    waitingCount -= waiting.length;
    for (const { envelope, done } of waiting) {
      if (result?.ok === true) done.resolve({ id: envelope.id, ...place(of), offset: result.lastOffset });
      else done.reject(result?.error);
    }
  };

  const append = async (transport: Transport, of: readonly Destination[]): Promise<void> => {
    const taken = of.map((destination) => destination.waiting.splice(0, appendMax));
    const batches = of.map(({ topic, partition }, index) => ({
      topic,
      partition,
      messages: taken[index]!.map(({ envelope }) => envelope),
    }));
    const stored = transport.append(batches, stop.signal).catch((error: WaybillError) => {
      return of.map((): AppendResult => ({ ok: false, error }));
    });
    const results = await (relay === undefined ? stored : relay.within(stored));
    for (const [index, destination] of of.entries()) settle(destination, taken[index]!, results?.[index]);
    // What took too long is kept elsewhere by now, and still the one unresolved append of its destinations.
    await stored;
    for (const destination of of) destination.busy = false;
    flush();
  };

  return {
    publish: async (type, body, { id, atMs, traceparent } = {}) => {
      if (stop.signal.aborted) throw new WaybillError("CLOSED", "The publisher is closed.");
      if (!type.topic.door) {
        throw new WaybillError(
          "TOPIC_FOREIGN",
          `Topic "${type.topic.name}" is written by ${type.topic.writers.join(", ")} only.`,
        );
      }
      if (waitingCount >= (options.waitingMax ?? 10_000)) {
        throw new WaybillError("BACKLOG_FULL", `${waitingCount} messages wait to be stored already.`);
      }
      const value = checked(type, body, "MESSAGE_INVALID", "To publish:");
      const key = keyText(type.key(value), "The key of", type.name);
      const text = JSON.stringify(value);
      checkSize(type, text);
      const messageId = id ?? options.newId();
      const envelope: Envelope = {
        id: keyText(messageId, "The id of", type.name),
        type: type.name,
        schema: type.version,
        subject: keyText(type.subject(value), "The subject of", type.name),
        key,
        producer: options.producer,
        atMs: atMs ?? options.nowMs(),
        correlation: messageId,
        traceparent,
        body: text,
        value,
      };
      const waiting: Waiting = { envelope, done: deferred() };
      destinationOf(type.topic.name, partitionOf(key, options.partitions)).waiting.push(waiting);
      waitingCount += 1;
      if (!scheduled) {
        scheduled = true;
        queueMicrotask(flush);
      }
      return waiting.done.promise;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort(new WaybillError("CLOSED", "The publisher is closed."));
      await Promise.all(running).catch((error: unknown) => messageOf(error));
    },
  };
}

function isAway(result: AppendResult): boolean {
  return !result.ok && result.error.code === "TRANSPORT_UNAVAILABLE";
}

function place(of: Destination): { topic: string; partition: number } {
  return { topic: of.topic, partition: of.partition };
}
