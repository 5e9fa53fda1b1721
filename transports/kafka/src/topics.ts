import { ConfigResourceTypes, createTopicsV7, describeConfigsV4 } from "@platformatic/kafka";
import { codeOf, WaybillError, type TopicSpec } from "@waybill/messaging";
import type { Cluster, TopicPlace } from "./cluster.ts";
import { nameOfError, topicUnknown, unavailable } from "./errors.ts";
import { latest, offsetsAt, whileElecting } from "./offsets.ts";
import { pause } from "./pause.ts";
import type { Compression } from "./record-batch.ts";

/** Kafka bounds a batch, not a message: every topic has room for a batch of this size beside its largest message. */
const batchRoom = 1_048_576;
const segmentBytesMax = 1_073_741_824;
const segmentBytesMin = 16_777_216;
/** A broker makes a topic of 32 partitions in 250 ms, a busy one in seconds, and one after the other. */
const knownMsMax = 60_000;
/** Kafka's largest number: a message may be of any time. */
const anyAge = "9223372036854775807";

/** A topic's configuration, by Kafka's names. */
export type Configuration = ReadonlyMap<string, string>;

/** What an append must know of a topic. */
export interface TopicLimits {
  readonly topicId: string;
  /** The largest message. */
  readonly bytesMax: number;
  /** The largest batch. */
  readonly batchBytesMax: number;
  readonly compression: Compression;
}

/** Makes the topic, or compares it with the one that there is. */
export async function declareTopic(cluster: Cluster, spec: TopicSpec): Promise<void> {
  if (spec.storage === "memory")
    throw refused(spec, "storage", "Kafka keeps its logs in files; memory is not offered.");
  const found = await lookFor(cluster, spec.name);
  const configuration = found && (await orUnknown(configurationOf(cluster, spec.name)));
  if (found !== undefined && configuration !== undefined) return refuseOther(spec, found, configuration);
  if (!(await create(cluster, spec))) return await declareTopic(cluster, spec);
  // A topic that was made is known to its brokers a moment later.
  await whileElecting(cluster, spec.name, (topic) => offsetsAt(cluster, topic, latest));
}

async function lookFor(cluster: Cluster, name: string): Promise<TopicPlace | undefined> {
  return await orUnknown(cluster.look(name));
}

/** Undefined: there is no such topic. */
async function orUnknown<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (codeOf(error) === "TOPIC_UNKNOWN") return undefined;
    throw error;
  }
}

/** False when somebody else has made it meanwhile. */
async function create(cluster: Cluster, spec: TopicSpec): Promise<boolean> {
  const { name, partitions, replicas = 1 } = spec;
  const configs = Object.entries(configurationFor(spec)).map(([setting, value]) => ({ name: setting, value }));
  const topic = { name, numPartitions: partitions, replicationFactor: replicas, assignments: [], configs };
  const answer = await cluster.ask<createTopicsV7.CreateTopicsResponse>(
    (connection, done) => createTopicsV7.api(connection, [topic], cluster.requestMs, false, done),
    cluster.requestMs * 2,
  );
  const { errorCode, errorMessage } = answer.topics[0]!;
  const error = nameOfError(errorCode);
  if (error === "NONE" || error === "TOPIC_ALREADY_EXISTS") {
    await untilKnown(cluster, name);
    return error === "NONE";
  }
  const text = `Kafka does not make topic "${name}": ${errorMessage ?? error}`;
  if (error === "INVALID_REPLICATION_FACTOR") throw refused(spec, "replicas", text);
  if (error.startsWith("INVALID_") || error === "POLICY_VIOLATION") throw refused(spec, "name", text);
  throw unavailable(text, { topic: name });
}

/** The controller has made it; the broker that is asked learns of it when it has made the topics that came before. */
async function untilKnown(cluster: Cluster, name: string): Promise<void> {
  const untilMs = performance.now() + knownMsMax;
  while ((await lookFor(cluster, name)) === undefined) {
    if (performance.now() > untilMs) throw unavailable(`Kafka has made topic "${name}" but does not know it.`);
    await pause(20);
  }
}

function refused(spec: TopicSpec, setting: string, text: string): WaybillError {
  return new WaybillError("CONTRACT_INVALID", text, { details: { topic: spec.name, setting } });
}

function configurationFor(spec: TopicSpec): Record<string, string> {
  const batchBytes = spec.bytesMax + batchRoom;
  const replicas = spec.replicas ?? 1;
  return {
    "cleanup.policy": "delete",
    "compression.type": compressionFor(spec),
    "max.message.bytes": String(batchBytes),
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": anyAge,
    "message.timestamp.after.max.ms": anyAge,
    "min.insync.replicas": String(Math.floor(replicas / 2) + 1),
    "retention.ms": String(spec.retentionMs ?? -1),
    "retention.bytes": String(partitionBytesOf(spec)),
    "segment.bytes": String(segmentBytesFor(spec, batchBytes)),
    "unclean.leader.election.enable": "false",
  };
}

/** Kafka's retention is that of a partition. */
function partitionBytesOf({ retentionBytes, partitions }: TopicSpec): number {
  return retentionBytes === undefined ? -1 : Math.ceil(retentionBytes / partitions);
}

/** Retention deletes whole segments, so they are a small part of what is kept. */
function segmentBytesFor(spec: TopicSpec, batchBytes: number): number {
  if (spec.retentionBytes === undefined) return segmentBytesMax;
  const wanted = Math.ceil(partitionBytesOf(spec) / 8);
  return Math.min(Math.max(wanted, segmentBytesMin, batchBytes * 4), segmentBytesMax);
}

/** "producer" leaves batches as they come, and ours come unpacked then. */
function compressionFor({ compression = "none" }: TopicSpec): string {
  return compression === "none" ? "producer" : compression;
}

/** A topic's settings, also those that it has from its brokers. Throws TOPIC_UNKNOWN when it does not exist. */
export async function configurationOf(cluster: Cluster, name: string): Promise<Configuration> {
  const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: name };
  const answer = await cluster.ask<describeConfigsV4.DescribeConfigsResponse>((connection, done) =>
    describeConfigsV4.api(connection, [resource], false, false, done),
  );
  const { errorCode, errorMessage, configs } = answer.results[0]!;
  if (nameOfError(errorCode) === "UNKNOWN_TOPIC_OR_PARTITION") throw topicUnknown(name);
  if (errorCode !== 0) {
    throw unavailable(
      `Kafka does not tell the settings of topic "${name}": ${errorMessage ?? nameOfError(errorCode)}`,
      {
        topic: name,
      },
    );
  }
  return new Map(configs.map((config) => [config.name, config.value ?? ""]));
}

function refuseOther(spec: TopicSpec, topic: TopicPlace, configuration: Configuration): void {
  const wanted = configurationFor(spec);
  const differs = (setting: string, found: string, declared: string, kafka: string): void => {
    if (found === declared) return;
    throw new WaybillError(
      "TOPIC_MISMATCH",
      `Topic "${spec.name}" exists with ${setting} ${shown(found)} (${kafka}); ${shown(declared)} was declared. ` +
        `Change the one or the other.`,
      { details: { topic: spec.name, setting, found, declared } },
    );
  };
  const compare = (setting: string, kafka: string): void =>
    differs(setting, configuration.get(kafka) ?? "", wanted[kafka]!, kafka);
  differs("partitions", String(topic.partitions.length), String(spec.partitions), "partitions");
  const replicas = String(topic.partitions[0]?.replicas.length ?? 0);
  if (spec.replicas !== undefined) differs("replicas", replicas, String(spec.replicas), "replication factor");
  const bytesMax = limitsOf(topic.id, configuration).bytesMax;
  differs("bytesMax", String(bytesMax), String(spec.bytesMax), "max.message.bytes less 1 MiB for a batch");
  compare("retentionMs", "retention.ms");
  compare("retentionBytes", "retention.bytes");
  compare("compression", "compression.type");
  compare("cleanup.policy", "cleanup.policy");
  compare("message.timestamp.type", "message.timestamp.type");
}

function shown(value: string): string {
  return value === "-1" ? "not set" : value;
}

/** What a topic's settings mean for an append. */
export function limitsOf(topicId: string, configuration: Configuration): TopicLimits {
  const batchBytesMax = Number(configuration.get("max.message.bytes"));
  const compression = configuration.get("compression.type");
  return {
    topicId,
    // A topic that somebody else has made may have no such room.
    bytesMax: batchBytesMax > batchRoom + 1_024 ? batchBytesMax - batchRoom : batchBytesMax - 512,
    batchBytesMax,
    compression: compression === "lz4" || compression === "zstd" ? compression : "none",
  };
}
