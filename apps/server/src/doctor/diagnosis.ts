import type { TopicSpec } from "@waybill/messaging";
import type { Config } from "../config/effective.ts";
import { partitions } from "../engine.ts";
import { shopContract } from "../services.ts";
import { partsOf, type Part } from "./parts.ts";
import type { Findings, Missed, Problem, Settings } from "./findings.ts";
import { examine } from "./topics.ts";
import { weaknesses } from "./weaknesses.ts";
import type { Worth } from "./worth.ts";

/** What a deployment stands on, and what an acknowledgement there is worth. */
export interface Diagnosis {
  readonly engine: Config["engine"];
  /** Nothing is weaker than it was declared, nothing is wrong, and everything that decides could be seen. */
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  /** The databases and brokers. */
  readonly parts: readonly Part[];
  readonly topics: readonly TopicDiagnosis[];
}

export interface TopicDiagnosis {
  readonly topic: string;
  readonly broker: "file" | "nats" | "kafka";
  /** It takes messages from anybody, without a stamp. */
  readonly door: boolean;
  /** It is a copy of a topic that lives on the other broker. */
  readonly mirror: boolean;
  readonly declared: TopicSpec;
  /** The settings that were found; undefined when there are none. */
  readonly found?: Settings | undefined;
  readonly worth?: Worth | undefined;
  /** What becomes of a message that the broker lost after it had acknowledged it. */
  readonly ifLost: string;
}

/** What databases and brokers are called. */
const names = { file: "SQLite", nats: "NATS", kafka: "Kafka" } as const;

/** Says of a deployment, from its configuration and from what was found, what its acknowledgements are worth. */
export function diagnose(config: Config, findings: Findings): Diagnosis {
  const problems: Problem[] = [];
  const parts = partsOf(config, findings, problems);
  const topics = subjectsOf(config).map((subject) => topicDiagnosis(subject, findings, problems));
  return { engine: config.engine, ok: problems.length === 0, problems, parts, topics };
}

type Subject = Pick<TopicDiagnosis, "topic" | "broker" | "door" | "mirror" | "declared">;

/** Every topic where it lives, and every copy of one. */
function subjectsOf({ topics, mirrors }: Config): readonly Subject[] {
  const known = shopContract().topics;
  const own = known.map(({ name, door, bytesMax }): Subject => {
    const { broker, ...kept } = topics[name]!;
    return { topic: name, broker, door, mirror: false, declared: { name, partitions, bytesMax, ...kept } };
  });
  const copies = mirrors.map(({ topic, from: _from, to, ...kept }): Subject => {
    const { bytesMax, door } = known.find(({ name }) => name === topic)!;
    return { topic, broker: to, door, mirror: true, declared: { name: topic, partitions, bytesMax, ...kept } };
  });
  return [...own, ...copies];
}

function topicDiagnosis(subject: Subject, findings: Findings, problems: Problem[]): TopicDiagnosis {
  const { topic, broker, mirror, declared } = subject;
  const place = { part: names[broker], topic: mirror ? `copy of ${topic}` : topic };
  const ifLost = ifLostOf(subject);
  const seen = examine(broker, declared, findings);
  if ("missed" in seen) {
    const problem = problemOf(seen.missed, place);
    if (problem !== undefined) problems.push(problem);
    return { ...subject, ifLost };
  }
  const { settings: found, worth, faults } = seen.found;
  problems.push(...faults.map((text): Problem => ({ ...place, kind: "wrong", text })));
  problems.push(...weaknesses(place, worth, declared));
  return { ...subject, found, worth, ifLost };
}

/** Undefined where what is missing is told of its broker once, and need not be for each topic. */
function problemOf({ kind, text }: Missed, place: Pick<Problem, "part" | "topic">): Problem | undefined {
  if (kind === "unreachable") return undefined;
  return { ...place, kind: kind === "absent" ? "unseen" : "wrong", text };
}

function ifLostOf({ broker, door, mirror }: Subject): string {
  if (mirror) return "The original is on the other broker.";
  if (broker === "file") return "States and messages are one file: they go together.";
  if (door) return "Nobody else has it: it is lost for good.";
  return "Its sender says it again if it comes to notice within a minute; later every reader stops there and says what is missing (GAP).";
}

/** What to exit with: 1 when something is weaker or wrong, 2 when something that decides could not be seen, else 0. */
export function exitOf({ problems }: Diagnosis): 0 | 1 | 2 {
  if (problems.some(({ kind }) => kind !== "unseen")) return 1;
  return problems.length > 0 ? 2 : 0;
}
