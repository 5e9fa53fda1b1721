import {
  WaybillError,
  type Append,
  type AppendResult,
  type Position,
  type Reader,
  type StoredMessage,
  type TopicSpec,
  type Transport,
} from "@waybill/messaging";
import { Appender } from "./appender.ts";
import { outgoing, pieces } from "./batch.ts";
import { boundsOf } from "./bounds.ts";
import { noPartition } from "./compare.ts";
import { inspect, type NatsInspection } from "./inspect.ts";
import { Link, nobodyAnswered } from "./link.ts";
import { natsDefaults, type NatsTransportOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import { NatsReader } from "./reader.ts";
import { messageOf } from "./record.ts";
import { Streams } from "./streams.ts";

/** A log on NATS JetStream. */
export interface NatsTransport extends Transport {
  /** What the servers and the streams of these topics are set to, as far as a client is told. */
  inspect(topics: readonly string[]): Promise<NatsInspection>;
}

/**
 * The logs of topics in NATS JetStream, a stream each. Throws TRANSPORT_UNAVAILABLE when no server can be used, and
 * CONTRACT_INVALID for one that is too old.
 */
export async function natsTransport(options: NatsTransportOptions): Promise<NatsTransport> {
  const link = await Link.open(options);
  const streams = new Streams(link);
  const { ahead = {} } = options;
  const bounds = {
    messagesMax: ahead.messages ?? natsDefaults.aheadMessages,
    bytesMax: ahead.bytes ?? natsDefaults.aheadBytes,
  };
  const writer = new Writer(link, streams);
  const progress = new Progress(link, streams);
  const readers = new Set<NatsReader>();
  return {
    name: link.name,
    async declare(topic: TopicSpec) {
      link.alive();
      await streams.declare(topic);
    },
    append(batches, signal) {
      return writer.append(batches, signal);
    },
    reader(from: readonly Position[]): Reader {
      const reader = new NatsReader(link, from, { streams, ...bounds, onClosed: (one) => readers.delete(one) });
      readers.add(reader);
      return reader;
    },
    async read(topic, partition, offset): Promise<StoredMessage | undefined> {
      link.alive();
      if (offset < 1) return undefined;
      const record = await streams.at(topic, offset);
      const message = record === undefined ? undefined : messageOf(topic, record);
      return message?.partition === partition ? message : undefined;
    },
    async bounds(topic, atMs) {
      link.alive();
      return await boundsOf(link, streams, topic, atMs);
    },
    async report(service, positions) {
      link.alive();
      await progress.report(service, positions);
    },
    inspect: (topics) => inspect(link, streams, topics),
    async [Symbol.asyncDispose]() {
      await Promise.all([...readers].map((reader) => reader[Symbol.asyncDispose]()));
      await link.close();
    },
  };
}

/** Appends to many streams. */
class Writer {
  readonly #link: Link;
  readonly #streams: Streams;
  readonly #appenders = new Map<string, Appender>();
  /** The highest sequence confirmed, by topic. */
  readonly #confirmed = new Map<string, number>();

  constructor(link: Link, streams: Streams) {
    this.#link = link;
    this.#streams = streams;
  }

  append(batches: readonly Append[], signal: AbortSignal): Promise<readonly AppendResult[]> {
    return new Promise((resolve, reject) => {
      if (this.#link.closed) this.#link.alive();
      const results: (AppendResult | undefined)[] = batches.map(() => undefined);
      const giveUp = (): void => resolve(batches.map((batch, at) => results[at] ?? givenUp(batch)));
      if (signal.aborted) return giveUp();
      signal.addEventListener("abort", giveUp, { once: true });
      const work = batches.map(async (batch, at) => {
        results[at] = await this.#append(batch);
      });
      Promise.all(work)
        .finally(() => signal.removeEventListener("abort", giveUp))
        .then(() => resolve(results as AppendResult[]), reject);
    });
  }

  async #append(batch: Append): Promise<AppendResult> {
    try {
      return await this.#store(batch);
    } catch (error) {
      if (error instanceof WaybillError) return { ok: false, error };
      return { ok: false, error: this.#link.unavailable(String(error), error) };
    }
  }

  async #store({ topic: name, partition, messages }: Append): Promise<AppendResult> {
    this.#link.alive();
    const topic = this.#streams.known(name) ?? (await this.#streams.topic(name));
    if (!(partition >= 0 && partition < topic.partitions)) throw noPartition(name, partition, topic.partitions);
    const appender = this.#appenderFor(name);
    const ready = messages.map((message) => outgoing(topic, partition, message));
    let firstOffset = 0;
    let lastOffset = 0;
    // One piece after the other: the second must not be stored if the first is not.
    for (const piece of pieces(ready, appender.messagesMax)) {
      const first = await this.#add(appender, name, piece);
      firstOffset ||= first;
      lastOffset = first + piece.length - 1;
    }
    return { ok: true, logId: await this.#logId(name, firstOffset, lastOffset), firstOffset, lastOffset };
  }

  #appenderFor(topic: string): Appender {
    let appender = this.#appenders.get(topic);
    if (appender === undefined) {
      appender = new Appender(this.#link, topic);
      this.#appenders.set(topic, appender);
    }
    return appender;
  }

  async #add(appender: Appender, topic: string, piece: Parameters<Appender["add"]>[0]): Promise<number> {
    try {
      return await appender.add(piece);
    } catch (error) {
      if (!nobodyAnswered(error)) throw error;
      // No stream takes this subject: it is gone, or it has no leader for the moment.
      this.#streams.forget(topic);
      await this.#streams.info(topic);
      throw error;
    }
  }

  /** Sequences that fall mean that the stream is another one, or has lost its end. */
  async #logId(topic: string, first: number, last: number): Promise<string> {
    const confirmed = this.#confirmed.get(topic) ?? 0;
    this.#confirmed.set(topic, first > confirmed ? last : Math.max(last, 0));
    if (first <= confirmed) await this.#streams.info(topic);
    return (await this.#streams.topic(topic)).logId;
  }
}

function givenUp({ topic, partition }: Append): AppendResult {
  const text = `The append to partition ${partition} of topic "${topic}" was given up; it may be stored.`;
  return { ok: false, error: new WaybillError("TRANSPORT_UNAVAILABLE", text, { details: { topic, partition } }) };
}
