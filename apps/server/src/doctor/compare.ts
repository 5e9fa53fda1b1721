import type { TopicSpec } from "@waybill/messaging";
import type { KafkaTopicInspection } from "@waybill/transport-kafka";
import type { NatsFindings } from "./findings.ts";
import type { StreamInspection } from "@waybill/transport-nats";
import { timeText } from "./worth.ts";

/** What is wrong with a topic, each a whole sentence. */
type Faults = readonly string[];

/** Where a stream is not the topic that the configuration declares, and what is wrong with it now. */
export function faultsOfStream(found: StreamInspection, spec: TopicSpec, server: NatsFindings["server"]): Faults {
  return [
    ...differences([
      ["partitions", found.partitions, spec.partitions],
      ["replicas", found.replicas, spec.replicas ?? 1],
      ["storage", found.storage, spec.storage ?? "file"],
      ["retention", ageText(found.retentionMs), ageText(spec.retentionMs)],
      ["size", sizeText(found.retentionBytes), sizeText(spec.retentionBytes)],
    ]),
    ...when(!found.atomicBatches, "It takes no atomic batches (allow_atomic), so a batch may be stored in part."),
    ...when(
      server.maxPayloadBytes < spec.bytesMax,
      `The server takes ${server.maxPayloadBytes} bytes (max_payload), and the topic messages of ${spec.bytesMax}; raise max_payload.`,
    ),
    ...when(
      found.lagging.length > 0,
      `Of the servers that keep it, ${found.lagging.join(", ")} ${found.lagging.length === 1 ? "is" : "are"} away or behind.`,
    ),
  ];
}

/** Where a topic of Kafka is not the one that the configuration declares, and what is wrong with it now. */
export function faultsOfKafkaTopic(found: KafkaTopicInspection, spec: TopicSpec): Faults {
  const { partitions, retentionBytes, replicas } = spec;
  const perPartition = retentionBytes === undefined ? undefined : Math.ceil(retentionBytes / partitions);
  const without = found.inSync.filter(({ leader }) => leader < 0).length;
  const behind = found.inSync.filter((partition) => partition.inSync < partition.replicas).length;
  const short = found.inSync.filter(({ inSync }) => inSync < found.minInSync).length;
  return [
    ...differences([
      ["partitions", found.partitions, partitions],
      ["replicas", found.replicas, replicas ?? found.replicas],
      ["retention", ageText(found.retentionMs), ageText(spec.retentionMs)],
      ["size of a partition", sizeText(found.retentionBytesPerPartition), sizeText(perPartition)],
    ]),
    ...when(
      found.cleanup !== "delete",
      `Its cleanup.policy is ${found.cleanup}: messages go that services have not read. Set cleanup.policy=delete.`,
    ),
    ...when(
      found.bytesMax < spec.bytesMax,
      `It takes messages of ${found.bytesMax} bytes (max.message.bytes ${found.batchBytesMax}), and ${spec.bytesMax} are declared.`,
    ),
    ...when(without > 0, `${without} of ${found.partitions} partitions have no leader, and take nothing.`),
    ...when(
      short > 0,
      `${short} of ${found.partitions} partitions have fewer than ${found.minInSync} replicas in sync (min.insync.replicas), and take nothing.`,
    ),
    ...when(
      behind > 0 && short === 0,
      `${behind} of ${found.partitions} partitions have replicas that are away or behind.`,
    ),
  ];
}

/** Where a topic of the embedded file is not the one that the configuration declares. */
export function faultsOfFileTopic(
  found: Pick<TopicSpec, "retentionMs" | "retentionBytes">,
  spec: Pick<TopicSpec, "retentionMs" | "retentionBytes">,
): Faults {
  return differences([
    ["retention", ageText(found.retentionMs), ageText(spec.retentionMs)],
    ["size", sizeText(found.retentionBytes), sizeText(spec.retentionBytes)],
  ]);
}

type Setting = readonly [name: string, found: string | number, declared: string | number];

function differences(settings: readonly Setting[]): Faults {
  return settings
    .filter(([, found, declared]) => found !== declared)
    .map(
      ([name, found, declared]) => `Its ${name} is ${found}, and ${declared} is declared; change the one or the other.`,
    );
}

export function ageText(ms: number | undefined): string {
  return ms === undefined ? "for ever" : timeText(ms);
}

export function sizeText(bytes: number | undefined): string {
  return bytes === undefined ? "without a bound" : `${bytes} bytes`;
}

function when(applies: boolean, text: string): Faults {
  return applies ? [text] : [];
}
