import type { Cluster, TopicPlace } from "./cluster.ts";
import { configurationOf, limitsOf, type Configuration } from "./topics.ts";

/** What a Kafka is, and how it keeps some topics. */
export interface KafkaInspection {
  /** Of the broker that was asked first, as in "4.1". */
  readonly version: string;
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[];
  readonly topics: readonly KafkaTopicInspection[];
}

/** A topic's settings as they are in force, whoever made them. */
export interface KafkaTopicInspection {
  readonly name: string;
  readonly logId: string;
  readonly partitions: number;
  /** How many brokers keep each partition; the fewest, if they differ. */
  readonly replicas: number;
  /** How many must have a message before it is acknowledged. */
  readonly minInSync: number;
  /** Whether a broker that has not got everything may become leader: what was acknowledged is then lost. */
  readonly uncleanElection: boolean;
  readonly cleanup: string;
  /** Undefined: for ever. */
  readonly retentionMs: number | undefined;
  /** Of each partition; undefined: without a bound. */
  readonly retentionBytesPerPartition: number | undefined;
  readonly bytesMax: number;
  readonly batchBytesMax: number;
  readonly compression: string;
  /** After how many messages a broker writes through to its disk; undefined: whenever its system does. */
  readonly flushMessages: number | undefined;
  /** After how many milliseconds it does; undefined: whenever its system does. */
  readonly flushMs: number | undefined;
  readonly inSync: readonly PartitionSync[];
}

/** How many replicas of a partition are in step. */
export interface PartitionSync {
  readonly partition: number;
  /** Below 0: it has none now, and takes nothing. */
  readonly leader: number;
  readonly replicas: number;
  /** How many of them have everything now. */
  readonly inSync: number;
}

/** Kafka's largest number, 2^63 - 1, stands for "never"; as a double it is this one. */
const never = 2 ** 63;

export async function inspect(cluster: Cluster, topics: readonly string[]): Promise<KafkaInspection> {
  const inspected = await Promise.all(
    topics.map(async (name) => topicOf(await cluster.look(name), await configurationOf(cluster, name))),
  );
  const brokers = [...cluster.nodes].map(([id, { host, port }]) => ({ id, host, port }));
  return { version: cluster.version.release, brokers, topics: inspected };
}

function topicOf({ name, id, partitions }: TopicPlace, configuration: Configuration): KafkaTopicInspection {
  const { bytesMax, batchBytesMax } = limitsOf(id, configuration);
  const text = (setting: string): string => configuration.get(setting) ?? "";
  return {
    name,
    logId: id,
    partitions: partitions.length,
    replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    minInSync: Number(text("min.insync.replicas")),
    uncleanElection: text("unclean.leader.election.enable") === "true",
    cleanup: text("cleanup.policy"),
    retentionMs: bound(text("retention.ms")),
    retentionBytesPerPartition: bound(text("retention.bytes")),
    bytesMax,
    batchBytesMax,
    compression: text("compression.type"),
    flushMessages: bound(text("flush.messages")),
    flushMs: bound(text("flush.ms")),
    inSync: partitions.map(({ partition, leader, replicas, inSync }) => ({
      partition,
      leader,
      replicas: replicas.length,
      inSync: inSync.length,
    })),
  };
}

function bound(text: string): number | undefined {
  const value = Number(text);
  return value < 0 || value >= never ? undefined : value;
}
