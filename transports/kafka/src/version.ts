import { apiVersionsV4 } from "@platformatic/kafka";
import { WaybillError } from "@waybill/messaging";
import type { Line } from "./line.ts";

/** The first `metadata.version` that a release knows (org.apache.kafka.server.common.MetadataVersion). */
const releases: readonly (readonly [level: number, release: string])[] = [
  [28, "4.2 or later"],
  [26, "4.1"],
  [22, "4.0"],
  [21, "3.9"],
  [20, "3.8"],
  [15, "3.7"],
  [12, "3.6"],
  [10, "3.5"],
  [8, "3.4"],
  [4, "3.3"],
  [1, "3.0 to 3.2"],
];
const neededLevel = 22;
/** From here on every broker of a cluster takes appends that name a topic by its id. */
const appendsByIdLevel = 26;

const feature = "metadata.version";
const produceKey = 0;

export interface Version {
  /** As in "4.1"; of later releases only that they are later. */
  readonly release: string;
  /** Appends may name a topic by its id, so that one made anew cannot be taken for the one before. */
  readonly appendsById: boolean;
}

/** What the broker behind a connection is. Throws CONTRACT_INVALID for one that is older than 4.0. */
export async function versionOf(line: Line, ms: number): Promise<Version> {
  const answer = await line.call<apiVersionsV4.ApiVersionsResponse>(
    (connection, done) => apiVersionsV4.api(connection, "waybill", "1", done),
    ms,
  );
  const level = answer.supportedFeatures?.find(({ name }) => name === feature)?.maxVersion ?? 0;
  const release = releases.find(([first]) => level >= first)?.[1] ?? "older than 3.0, or not Apache Kafka";
  if (level < neededLevel) {
    const { host, port } = line.endpoint;
    throw new WaybillError(
      "CONTRACT_INVALID",
      `The broker at ${host}:${port} is Kafka ${release}; Apache Kafka 4.0 or later is needed. Upgrade it, or name another one.`,
      { details: { found: release, needed: "4.0" } },
    );
  }
  const agreed = answer.finalizedFeatures?.find(({ name }) => name === feature)?.maxVersionLevel ?? 0;
  const produce = answer.apiKeys.find(({ apiKey }) => apiKey === produceKey);
  // While brokers are upgraded one by one, the level that all have agreed on is that of the oldest.
  return { release, appendsById: agreed >= appendsByIdLevel && (produce?.maxVersion ?? 0) >= 13 };
}
