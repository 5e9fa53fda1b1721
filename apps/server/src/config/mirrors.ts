import type { Issue } from "@waybill/messaging";
import type { BrokerName, EngineName, WaybillConfig } from "./schema.ts";
import { retentionOf, type TopicConfig } from "./topics.ts";

/** A topic that is copied onto the broker where it does not live. */
export interface MirrorConfig extends Pick<TopicConfig, "retentionMs" | "retentionBytes" | "replicas" | "compression"> {
  readonly topic: string;
  readonly from: BrokerName;
  readonly to: BrokerName;
}

/** With `hybrid` Kafka has the record of all events: those that live on NATS are copied there. */
const recorded = ["orders", "stock", "payments"];

/** The mirrors that are asked for, or those that `hybrid` has by itself. Adds what cannot be to `issues`. */
export function mirrorsOf(
  engine: EngineName,
  said: WaybillConfig["mirrors"],
  topics: Readonly<Record<string, TopicConfig>>,
  issues: Issue[],
): readonly MirrorConfig[] {
  const wanted = said ?? (engine === "hybrid" ? recordOf(topics) : []);
  const mirrors: MirrorConfig[] = [];
  for (const [at, { topic, to, replicas, compression, ...kept }] of wanted.entries()) {
    const from = topics[topic]?.broker;
    const isRepeated = wanted.findIndex((one) => one.topic === topic) < at;
    const reason = wrong(engine, topic, from, to, isRepeated);
    if (reason !== undefined) issues.push({ field: `mirrors[${at}]${reason.member}`, reason: reason.text });
    else mirrors.push({ topic, from: from as BrokerName, to, ...retentionOf(kept), replicas, compression });
  }
  return mirrors;
}

type Wanted = NonNullable<WaybillConfig["mirrors"]>;

function recordOf(topics: Readonly<Record<string, TopicConfig>>): Wanted {
  return recorded.filter((topic) => topics[topic]?.broker === "nats").map((topic) => ({ topic, to: "kafka" as const }));
}

function wrong(
  engine: EngineName,
  topic: string,
  from: TopicConfig["broker"] | undefined,
  to: BrokerName,
  isRepeated: boolean,
): { readonly member: string; readonly text: string } | undefined {
  if (engine !== "hybrid")
    return { member: "", text: `the engine ${engine} has one log only; use the engine "hybrid"` };
  if (from === undefined) return { member: ".topic", text: `there is no topic ${topic}` };
  if (from === to) return { member: ".to", text: `${topic} lives on ${to} itself` };
  return isRepeated ? { member: ".topic", text: `${topic} is mirrored already` } : undefined;
}
