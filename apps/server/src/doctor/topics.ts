import type { TopicSpec } from "@waybill/messaging";
import { ageText, faultsOfFileTopic, faultsOfKafkaTopic, faultsOfStream, sizeText } from "./compare.ts";
import type { Findings, Missed, NatsFindings, Seen, Settings } from "./findings.ts";
import { worthOfKafka } from "./kafka-worth.ts";
import { worthOfNats, type NatsFacts } from "./nats-worth.ts";
import { worthOfFile } from "./store-worth.ts";
import { timeText, type Worth } from "./worth.ts";

/** A topic as it is. */
interface Examined {
  /** The settings that were found. */
  readonly settings: Settings;
  readonly worth: Worth;
  readonly faults: readonly string[];
}

const nobodyLooked: Missed = { kind: "unreachable", text: "Nobody looked." };

/** Compares a topic with what was found of it. */
export function examine(
  broker: "file" | "nats" | "kafka",
  declared: TopicSpec,
  { nats, kafka, file }: Findings,
): Seen<Examined> {
  if (broker === "nats") return on(nats, (found) => examineStream(found, declared));
  if (broker === "kafka") return on(kafka, ({ topics }) => examineKafka(topics, declared));
  return on(file, (found) => {
    const topic = found.topics.get(declared.name);
    if (topic === undefined) return absent;
    const settings = { retention: ageText(topic.retentionMs), size: sizeText(topic.retentionBytes) };
    return { found: { settings, worth: worthOfFile(found), faults: faultsOfFileTopic(topic, declared) } };
  });
}

const absent: { readonly missed: Missed } = {
  missed: { kind: "absent", text: "It is not made yet; `waybill start` makes it as it is declared." },
};

function on<T>(seen: Seen<T> | undefined, look: (found: T) => Seen<Examined>): Seen<Examined> {
  if (seen === undefined) return { missed: nobodyLooked };
  // That the broker is of no use, or away, is said of the broker itself.
  return "missed" in seen ? { missed: { ...seen.missed, kind: "unreachable" } } : look(seen.found);
}

function examineStream(findings: NatsFindings, declared: TopicSpec): Seen<Examined> {
  const stream = findings.streams.get(declared.name) ?? absent;
  if ("missed" in stream) return stream;
  const { found } = stream;
  const { storage, replicas, persistMode: persist } = found;
  const sync = weakestSync(findings, found.servers);
  return {
    found: {
      settings: {
        partitions: found.partitions,
        replicas,
        servers: found.servers.toSorted().join(", "),
        storage,
        sync_interval: sync === undefined ? "not seen" : sync === "always" ? sync : timeText(sync),
        persist_mode: persist,
        retention: ageText(found.retentionMs),
        size: sizeText(found.retentionBytes),
        max_msg_size: found.recordBytesMax,
        compression: found.compression,
      },
      worth: worthOfNats({ storage, replicas, sync, persist }),
      faults: faultsOfStream(found, declared, findings.server),
    },
  };
}

/** What holds for all servers that keep a stream; undefined when one of them was not asked. */
function weakestSync({ server, sync }: NatsFindings, servers: readonly string[]): NatsFacts["sync"] {
  const told = (servers.length === 0 ? [server.name] : servers).map((name) => sync.get(name));
  if (told.includes(undefined)) return undefined;
  const intervals = told.filter((one) => typeof one === "number");
  return intervals.length === 0 ? "always" : Math.max(...intervals);
}

type KafkaTopics = Extract<NonNullable<Findings["kafka"]>, { found: unknown }>["found"]["topics"];

function examineKafka(topics: KafkaTopics, declared: TopicSpec): Seen<Examined> {
  const topic = topics.get(declared.name) ?? absent;
  if ("missed" in topic) return topic;
  const { found } = topic;
  const { flushMessages, flushMs } = found;
  return {
    found: {
      settings: {
        partitions: found.partitions,
        replicas: found.replicas,
        "min.insync.replicas": found.minInSync,
        "unclean.leader.election.enable": String(found.uncleanElection),
        "flush.messages": flushMessages ?? "never",
        "flush.ms": flushMs ?? "never",
        "cleanup.policy": found.cleanup,
        retention: ageText(found.retentionMs),
        "size of a partition": sizeText(found.retentionBytesPerPartition),
        "max.message.bytes": found.batchBytesMax,
        compression: found.compression,
      },
      worth: worthOfKafka(found),
      faults: faultsOfKafkaTopic(found, declared),
    },
  };
}
