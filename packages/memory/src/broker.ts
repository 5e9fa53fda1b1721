import { WaybillError, type TopicSpec, type World } from "@waybill/messaging";
import { emptyPartition, type PartitionLog } from "./log.ts";

/** What all handles of one in-memory transport share. */
export interface Broker {
  readonly world: World;
  readonly topics: Map<string, TopicLog>;
  /** Called whenever a log has changed; each ends one reader's wait. */
  readonly waiting: Set<() => void>;
  readonly hole: () => number;
}

export interface TopicLog {
  readonly spec: TopicSpec;
  /** Another one after each recreation. */
  readonly logId: string;
  readonly partitions: readonly PartitionLog[];
}

export function declareTopic(broker: Broker, spec: TopicSpec): void {
  const found = broker.topics.get(spec.name)?.spec;
  if (found === undefined) createTopic(broker, { ...spec });
  else refuseOther(found, spec);
}

export function createTopic(broker: Broker, spec: TopicSpec): void {
  const partitions = Array.from({ length: spec.partitions }, (_, partition) => emptyPartition(partition));
  broker.topics.set(spec.name, { spec, logId: broker.world.newId(), partitions });
}

function refuseOther(found: TopicSpec, asked: TopicSpec): void {
  for (const setting of ["partitions", "bytesMax", "retentionMs", "retentionBytes"] as const) {
    if (found[setting] === asked[setting]) continue;
    throw new WaybillError(
      "TOPIC_MISMATCH",
      `Topic "${found.name}" exists with ${setting} ${found[setting] ?? "not set"}; ${asked[setting] ?? "not set"} was declared.`,
      { details: { topic: found.name, setting, found: found[setting], declared: asked[setting] } },
    );
  }
}

export function topicNamed(broker: Broker, name: string): TopicLog {
  const topic = broker.topics.get(name);
  if (topic !== undefined) return topic;
  throw new WaybillError("TOPIC_UNKNOWN", `Topic "${name}" is not declared.`, {
    details: { topic: name },
  });
}

export function partitionNamed(topic: TopicLog, partition: number): PartitionLog {
  const log = topic.partitions[partition];
  if (log !== undefined) return log;
  const { name, partitions } = topic.spec;
  throw new WaybillError(
    "TOPIC_UNKNOWN",
    `Topic "${name}" has ${partitions} partitions; there is no number ${partition}.`,
    {
      details: { topic: name, partition },
    },
  );
}

export function wakeReaders(broker: Broker): void {
  for (const wake of broker.waiting) wake();
}
