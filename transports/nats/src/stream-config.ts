import { WaybillError, type TopicSpec } from "@waybill/messaging";
import type { StreamConfig, StreamInfo } from "@nats-io/jetstream";
import { streamSubjects } from "./subject.ts";

/** What attributes take in a header beside `bytesMax`: encoded, a character can be three times as long. */
export const headerRoom = 8_192;

/** Names in a stream's metadata. */
const partitionsKey = "waybill-partitions";
const bytesMaxKey = "waybill-bytes-max";

const nanosPerMs = 1e6;

/** The stream that a topic is. */
export function streamOf(spec: TopicSpec): Partial<StreamConfig> & { name: string } {
  return {
    name: spec.name,
    subjects: streamSubjects(spec.name, spec.partitions),
    retention: "limits",
    discard: "old",
    storage: spec.storage ?? "file",
    num_replicas: spec.replicas ?? 1,
    max_age: (spec.retentionMs ?? 0) * nanosPerMs,
    max_bytes: spec.retentionBytes ?? -1,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    max_msg_size: spec.bytesMax + headerRoom,
    // A repeat is the reader's to drop: the server's window would end some day, and its memory costs each message.
    compression: spec.compression === undefined || spec.compression === "none" ? "none" : "s2",
    allow_direct: true,
    allow_atomic: true,
    metadata: { [partitionsKey]: String(spec.partitions), [bytesMaxKey]: String(spec.bytesMax) },
  };
}

/** What a topic's stream says about it. */
export interface StreamTopic {
  readonly name: string;
  /** The stream's creation: another one after it was deleted and made anew. */
  readonly logId: string;
  readonly partitions: number;
  readonly bytesMax: number;
  readonly replicas: number;
  /** The largest record with its headers. */
  readonly recordMax: number;
  /** Old messages may go. */
  readonly retains: boolean;
}

/** Reads a stream as a topic. Throws TOPIC_MISMATCH when it is not one of ours. */
export function topicOf({ config, created }: Pick<StreamInfo, "config" | "created">): StreamTopic {
  const partitions = Number(config.metadata?.[partitionsKey]);
  const bytesMax = Number(config.metadata?.[bytesMaxKey]);
  if (!Number.isSafeInteger(partitions) || !Number.isSafeInteger(bytesMax)) {
    throw new WaybillError(
      "TOPIC_MISMATCH",
      `The stream "${config.name}" exists but is no topic: its metadata has no ${partitionsKey} and ${bytesMaxKey}. ` +
        `Give the topic another name, or delete the stream.`,
      { details: { topic: config.name, setting: "partitions" } },
    );
  }
  return {
    name: config.name,
    logId: created,
    partitions,
    bytesMax,
    replicas: config.num_replicas,
    recordMax: config.max_msg_size > 0 ? config.max_msg_size : Infinity,
    retains: config.max_age > 0 || config.max_bytes > 0 || config.max_msgs > 0,
  };
}

/** Throws TOPIC_MISMATCH naming the first setting in which an existing stream is not the topic declared. */
export function refuseOther(found: StreamConfig, spec: TopicSpec): void {
  const wanted = streamOf(spec);
  const metadata = found.metadata ?? {};
  const pairs: readonly (readonly [setting: string, found: Setting, declared: Setting])[] = [
    ["partitions", Number(metadata[partitionsKey]), spec.partitions],
    ["subjects", [...found.subjects].toSorted().join(" "), [...wanted.subjects!].toSorted().join(" ")],
    ["bytesMax", Number(metadata[bytesMaxKey]), spec.bytesMax],
    ["bytesMax (max_msg_size)", found.max_msg_size, wanted.max_msg_size],
    ["retentionMs", found.max_age > 0 ? found.max_age / nanosPerMs : undefined, spec.retentionMs],
    ["retentionBytes", found.max_bytes > 0 ? found.max_bytes : undefined, spec.retentionBytes],
    ["replicas", found.num_replicas, wanted.num_replicas],
    ["storage", found.storage, wanted.storage],
    ["compression", found.compression ?? "none", wanted.compression],
    ["retention", found.retention, wanted.retention],
    ["discard", found.discard, wanted.discard],
    ["max_msgs", found.max_msgs, wanted.max_msgs],
    ["max_msgs_per_subject", found.max_msgs_per_subject, wanted.max_msgs_per_subject],
    ["allow_atomic", found.allow_atomic ?? false, true],
  ];
  for (const [setting, is, declared] of pairs) {
    if (is === declared) continue;
    throw new WaybillError(
      "TOPIC_MISMATCH",
      `Topic "${spec.name}" exists with ${setting} ${shown(is)}; ${shown(declared)} was declared. Declare what there is, or ` +
        `change the stream with \`nats stream edit ${spec.name}\`.`,
      { details: { topic: spec.name, setting, found: is, declared } },
    );
  }
}

type Setting = string | number | boolean | undefined;

function shown(value: Setting): string {
  return value === undefined ? "not set" : String(value);
}

/** Throws CONTRACT_INVALID for what a server could not keep. */
export function refuseImpossible(spec: TopicSpec, maxPayload: number): void {
  if (spec.bytesMax + headerRoom > maxPayload) {
    throw new WaybillError(
      "CONTRACT_INVALID",
      `Topic "${spec.name}" takes messages of ${spec.bytesMax} bytes, and headers of up to ${headerRoom}; the server takes ` +
        `${maxPayload} (max_payload). Lower bytesMax, or raise max_payload.`,
      { details: { topic: spec.name, bytesMax: spec.bytesMax, headerRoom, maxPayload } },
    );
  }
}
