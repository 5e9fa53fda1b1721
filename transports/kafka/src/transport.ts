import type { ConnectionOptions as TlsOptions } from "node:tls";
import type { Append, Position, Reader, TopicSpec, Transport } from "@waybill/messaging";
import { Appender } from "./append.ts";
import { boundsOf, messageAt, type KnownMessages } from "./bounds.ts";
import { Cluster } from "./cluster.ts";
import { inspect, type KafkaInspection } from "./inspect.ts";
import { KafkaReader } from "./reader.ts";
import { endpointsOf } from "./options.ts";
import { Reports } from "./report.ts";
import { declareTopic } from "./topics.ts";

/** How brokers are reached, and how topics are kept there. */
export interface KafkaTransportOptions {
  /** Brokers to begin with: "host:port", more of them with commas between. */
  readonly bootstrap: string;
  /** What the brokers show this client as; "waybill" unless given. */
  readonly clientId?: string | undefined;
  /** How to log in. */
  readonly sasl?: KafkaLogin | undefined;
  /** Speak TLS; `true` with the system's authorities, else with these settings of node:tls (`ca`, `cert`, `key`). */
  readonly tls?: true | TlsOptions | undefined;
  /** The deadline of a request, in milliseconds; 5,000 unless given. After it a new connection is opened. */
  readonly requestMs?: number | undefined;
  /** "kafka" unless given. */
  readonly name?: string | undefined;
}

/** Who logs in at Kafka, and how. */
export interface KafkaLogin {
  readonly mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-512";
  readonly username: string;
  readonly password: string;
}

/** A log on Apache Kafka. */
export interface KafkaTransport extends Transport {
  /** What the brokers are, and how they keep these topics. Throws TOPIC_UNKNOWN for one that does not exist. */
  inspect(topics: readonly string[]): Promise<KafkaInspection>;
}

/**
 * Logs on Apache Kafka 4.0 or later. Throws TRANSPORT_UNAVAILABLE when none of the brokers named can be reached, and
 * CONTRACT_INVALID when they are older.
 */
export async function kafkaTransport(options: KafkaTransportOptions): Promise<KafkaTransport> {
  const { clientId = "waybill", name = "kafka", requestMs = 5_000, sasl, tls } = options;
  const cluster = new Cluster({
    bootstrap: endpointsOf(options.bootstrap),
    clientId,
    connection: {
      ...(sasl === undefined ? {} : { sasl }),
      ...(tls === undefined ? {} : { tls: tls === true ? {} : tls }),
    },
    requestMs,
  });
  await cluster.open();
  return connected(name, cluster);
}

function connected(name: string, cluster: Cluster): KafkaTransport {
  const appender = new Appender(cluster);
  const reports = new Reports(cluster);
  const readers = new Set<KafkaReader>();
  const known: KnownMessages = new Map();
  return {
    name,
    async declare(topic: TopicSpec) {
      cluster.alive();
      await declareTopic(cluster, topic);
    },
    append: (batches: readonly Append[], signal: AbortSignal) => appender.append(batches, signal),
    reader(from: readonly Position[]): Reader {
      const reader = new KafkaReader(cluster, from, () => readers.delete(reader));
      readers.add(reader);
      return reader;
    },
    async read(topic, partition, offset) {
      cluster.alive();
      return await messageAt(cluster, topic, partition, offset);
    },
    async bounds(topic, atMs) {
      cluster.alive();
      return await boundsOf(cluster, topic, atMs, known);
    },
    async inspect(topics) {
      cluster.alive();
      return await inspect(cluster, topics);
    },
    async report(service, positions) {
      cluster.alive();
      reports.add(service, positions);
    },
    async [Symbol.asyncDispose]() {
      reports.close();
      cluster.close();
      for (const reader of readers) reader.interrupt();
    },
  };
}
