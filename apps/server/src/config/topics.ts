import type { Issue, TopicSpec } from "@waybill/messaging";
import type { BrokerName, EngineName, TopicSettings } from "./schema.ts";

/** Where a topic lives and how it is kept. */
export interface TopicConfig extends Pick<
  TopicSpec,
  "retentionMs" | "retentionBytes" | "replicas" | "storage" | "compression"
> {
  readonly broker: "file" | BrokerName;
}

type Said = Readonly<Record<string, TopicSettings>>;

/** With `hybrid`: what the shop's services tell each other under load is on NATS, what others follow as well on Kafka. */
const onKafka: ReadonlySet<string> = new Set(["catalogue-in", "products", "shipments-in", "shipments"]);

/** Every topic as it is set by its name, else by `*`, else by the engine. Adds what cannot be to `issues`. */
export function topicsOf(
  engine: EngineName,
  said: Said,
  names: readonly string[],
  issues: Issue[],
): Readonly<Record<string, TopicConfig>> {
  for (const [name, settings] of Object.entries(said)) {
    const field = `topics.${name}`;
    if (name !== "*" && !names.includes(name)) {
      issues.push({ field, reason: `there is no such topic; there are ${names.join(", ")}` });
    }
    issues.push(...impossible(engine, settings).map(([member, reason]) => ({ field: `${field}.${member}`, reason })));
  }
  const topics = Object.fromEntries(
    names.map((name) => [name, topicOf(engine, name, { ...said["*"], ...said[name] })]),
  );
  if (engine === "embedded") return topics;
  for (const [name, { broker, storage }] of Object.entries(topics)) {
    if (broker !== "kafka" || storage !== "memory") continue;
    const field = said[name]?.storage === undefined ? "topics.*.storage" : `topics.${name}.storage`;
    issues.push({ field, reason: `Kafka keeps topics on disks only, and ${name} lives there` });
  }
  return topics;
}

/** Settings that the engine has no use for, with the reason. */
function impossible(engine: EngineName, { broker, replicas, storage, compression }: TopicSettings): [string, string][] {
  const found: [string, string][] = [];
  if (broker !== undefined && engine !== "hybrid" && broker !== engine) {
    const instead = engine === "embedded" ? "choose another engine" : 'use the engine "hybrid"';
    found.push(["broker", `the engine ${engine} has no broker ${broker}; ${instead}`]);
  }
  if (engine !== "embedded") return found;
  for (const [member, value] of Object.entries({ replicas, storage, compression })) {
    if (value !== undefined) found.push([member, "the embedded engine keeps topics in one file; leave it out"]);
  }
  return found;
}

function topicOf(engine: EngineName, name: string, settings: TopicSettings): TopicConfig {
  const { replicas, storage, compression } = settings;
  return { broker: brokerOf(engine, name, settings), ...retentionOf(settings), replicas, storage, compression };
}

function brokerOf(engine: EngineName, name: string, { broker }: TopicSettings): TopicConfig["broker"] {
  if (engine === "embedded") return "file";
  if (engine !== "hybrid") return engine;
  return broker ?? (onKafka.has(name) ? "kafka" : "nats");
}

/** Days and MiB as milliseconds and bytes. */
export function retentionOf({
  retentionDays,
  retentionMib,
}: Pick<TopicSettings, "retentionDays" | "retentionMib">): Pick<TopicSpec, "retentionMs" | "retentionBytes"> {
  return {
    retentionMs: retentionDays === undefined ? undefined : Math.round(retentionDays * 86_400_000),
    retentionBytes: retentionMib === undefined ? undefined : Math.round(retentionMib * 1_048_576),
  };
}
