import type { Link } from "./link.ts";
import { topicOf } from "./stream-config.ts";
import type { Streams } from "./streams.ts";

/** What decides of the worth of an acknowledgement, as far as a client is told. */
export interface NatsInspection {
  readonly server: {
    readonly name: string;
    readonly version: string;
    /** Undefined for a server that stands alone. */
    readonly cluster: string | undefined;
    readonly maxPayloadBytes: number;
    readonly tls: boolean;
    /**
     * How often the server brings to the disk what it has confirmed. No client is told: ask its monitoring, at `/varz`
     * (`config.jetstream`), or its settings. "always" keeps it through a machine's crash, and 2 minutes are the default.
     */
    readonly syncInterval: "not visible to a client";
  };
  readonly streams: readonly StreamInspection[];
}

/** How a topic's stream is kept. */
export interface StreamInspection {
  readonly topic: string;
  readonly partitions: number;
  readonly replicas: number;
  /** Names of the servers that keep it, the leader first; empty when it does not say. */
  readonly servers: readonly string[];
  /** Those of them that have fallen behind or are gone. */
  readonly lagging: readonly string[];
  readonly storage: "file" | "memory";
  readonly compression: string;
  readonly retentionMs: number | undefined;
  readonly retentionBytes: number | undefined;
  /** "old": when it is full the oldest messages go. "new": it takes no more. */
  readonly discard: string;
  readonly recordBytesMax: number;
  readonly atomicBatches: boolean;
  /** "default": written before it is confirmed. "async": confirmed before. */
  readonly persistMode: string;
  readonly messages: number;
  readonly bytes: number;
}

const nanosPerMs = 1e6;

/** Reads the settings. Throws TOPIC_UNKNOWN, or TRANSPORT_UNAVAILABLE. */
export async function inspect(link: Link, streams: Streams, topics: readonly string[]): Promise<NatsInspection> {
  link.alive();
  const { server_name: name, version, cluster, max_payload: maxPayloadBytes, tls_required: tls = false } = link.server;
  const inspected = await Promise.all(topics.map((topic) => inspectStream(streams, topic)));
  return {
    server: { name, version, cluster, maxPayloadBytes, tls, syncInterval: "not visible to a client" },
    streams: inspected,
  };
}

async function inspectStream(streams: Streams, topic: string): Promise<StreamInspection> {
  const info = await streams.info(topic);
  const { config, state, cluster } = info;
  const peers = cluster?.replicas ?? [];
  return {
    topic,
    partitions: topicOf(info).partitions,
    replicas: config.num_replicas,
    servers: [cluster?.leader, ...peers.map((peer) => peer.name)].filter((name) => name !== undefined),
    lagging: peers.filter((peer) => !peer.current || peer.offline).map((peer) => peer.name),
    storage: config.storage,
    compression: config.compression ?? "none",
    retentionMs: config.max_age > 0 ? config.max_age / nanosPerMs : undefined,
    retentionBytes: config.max_bytes > 0 ? config.max_bytes : undefined,
    discard: config.discard,
    recordBytesMax: config.max_msg_size,
    atomicBatches: config.allow_atomic === true,
    persistMode: config.persist_mode ?? "default",
    messages: state.messages,
    bytes: state.bytes,
  };
}
