import type { Inspection } from "@waybill/store-postgres";
import type { KafkaInspection, KafkaTopicInspection } from "@waybill/transport-kafka";
import type { NatsInspection, StreamInspection } from "@waybill/transport-nats";
import type { TopicConfig } from "../config/topics.ts";
import type { FileFacts } from "./store-worth.ts";

/** What was found where somebody looked, or why nobody could. */
export type Seen<T> = { readonly found: T } | { readonly missed: Missed };

export interface Missed {
  /** "absent": it is not made yet. "refused": it is there and of no use. "unreachable": nobody knows. */
  readonly kind: "absent" | "refused" | "unreachable";
  readonly text: string;
}

/** The settings of everything that a deployment stands on, as they are. */
export interface Findings {
  readonly postgres?: Seen<Inspection> | undefined;
  readonly nats?: Seen<NatsFindings> | undefined;
  readonly kafka?: Seen<KafkaFindings> | undefined;
  readonly file?: Seen<FileFindings> | undefined;
}

export interface NatsFindings {
  readonly server: NatsInspection["server"];
  /** How often each server writes through, by its name: before each answer, or each so many milliseconds. */
  readonly sync: ReadonlyMap<string, "always" | number>;
  /** Monitoring addresses that were named and told nothing, each with the reason. */
  readonly silent: readonly string[];
  readonly streams: ReadonlyMap<string, Seen<StreamInspection>>;
}

export interface KafkaFindings extends Pick<KafkaInspection, "version" | "brokers"> {
  readonly topics: ReadonlyMap<string, Seen<KafkaTopicInspection>>;
}

export interface FileFindings extends FileFacts {
  readonly path: string;
  readonly sqlite: string;
  readonly bytes: number;
  readonly roomBytes: number;
  readonly topics: ReadonlyMap<string, Pick<TopicConfig, "retentionMs" | "retentionBytes">>;
}

/** Settings by their names, as people read them. */
export type Settings = Readonly<Record<string, string | number>>;

/** Something that is not as it should be. */
export interface Problem {
  /** "PostgreSQL", "NATS". */
  readonly part: string;
  /** Undefined: the part itself. "copy of orders": the mirror of a topic. */
  readonly topic?: string | undefined;
  /** weaker: an acknowledgement is worth less than was declared. wrong: it does not work so. unseen: nobody could look. */
  readonly kind: "weaker" | "wrong" | "unseen";
  /** A whole sentence, with what to do. */
  readonly text: string;
}
