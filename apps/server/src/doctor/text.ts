import type { Diagnosis, TopicDiagnosis } from "./diagnosis.ts";
import type { Part } from "./parts.ts";
import type { Problem, Settings } from "./findings.ts";
import { mishaps, type Kept, type Mishap, type Worth } from "./worth.ts";

/** What each outcome is called, in the terminal and in the documents. */
export const keptWords: Readonly<Record<Kept, string>> = {
  kept: "kept",
  mostly: "mostly",
  lost: "LOST",
  unknown: "unknown",
};

const names = { file: "the embedded file", nats: "NATS", kafka: "Kafka" } as const;

/** A diagnosis for a terminal. */
export function diagnosisText(diagnosis: Diagnosis): string {
  const { parts, topics, problems } = diagnosis;
  return [
    ...parts.map(partText),
    ...groupsOf(topics.filter(({ worth }) => worth !== undefined)).map(groupText),
    verdict(problems),
  ].join("\n\n");
}

function partText({ name, found, worth }: Part): string {
  const settings = settingsText(found);
  const head = `${name}: ${settings === "" ? "nobody could look" : settings}`;
  return worth === undefined ? head : [head, "  A commit, once confirmed:", worthText(worth)].join("\n");
}

/** Topics of which the same is to be said, together. */
function groupsOf(topics: readonly TopicDiagnosis[]): readonly (readonly TopicDiagnosis[])[] {
  const groups = Map.groupBy(topics, ({ worth, broker, found, ifLost }) =>
    JSON.stringify([broker, worth, found, ifLost]),
  );
  return [...groups.values()];
}

function groupText(group: readonly TopicDiagnosis[]): string {
  const { broker, door, mirror, found = {}, worth, ifLost } = group[0]!;
  const what = `${mirror ? "Copies" : door ? "Doors" : "Topics"} on ${names[broker]}`;
  const head = `${what}: ${group.map(({ topic }) => topic).join(", ")}`;
  return [
    head,
    `  ${settingsText(found)}`,
    "  A message, once acknowledged:",
    worthText(worth!),
    `  If one is lost: ${ifLost}`,
  ].join("\n");
}

function settingsText(found: Settings): string {
  return Object.entries(found)
    .map(([setting, value]) => `${setting} ${value}`)
    .join("; ");
}

/** One line for each thing that may happen, and what would make it better. */
function worthText({ survives, advice }: Worth): string {
  const all = Object.keys(mishaps) as Mishap[];
  const width = Math.max(...all.map((mishap) => mishaps[mishap].length));
  const lines = all.map((mishap) => {
    const { kept, why } = survives[mishap];
    return `    ${mishaps[mishap].padEnd(width)}  ${keptWords[kept].padEnd(7)}  ${why}`;
  });
  return [...lines, ...advice.map((text) => `  For more: ${text}`)].join("\n");
}

const kinds = { weaker: "weaker than declared", wrong: "wrong", unseen: "not seen" } as const;

function verdict(problems: readonly Problem[]): string {
  if (problems.length === 0) return "Everything is as strong as it was declared.";
  const groups = Map.groupBy(problems, ({ kind, part, text }) => `${part}, ${kinds[kind]}: ${text}`);
  const lines = Array.from(groups, ([text, same]) => {
    const topics = same.map(({ topic }) => topic).filter((topic) => topic !== undefined);
    return topics.length === 0 ? `  ${text}` : `  ${text}\n    Topics: ${topics.join(", ")}`;
  });
  return ["What is not as it should be:", ...lines].join("\n");
}
