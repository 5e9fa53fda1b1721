import type { Problem } from "./findings.ts";
import { mishaps, neededBy, type Declared, type Mishap, type Worth } from "./worth.ts";

type Place = Pick<Problem, "part" | "topic">;

/** What acknowledgements do not survive, or may not, although it was declared. */
export function weaknesses(
  { part, topic }: Place,
  { survives, advice }: Worth,
  declared: Declared,
): readonly Problem[] {
  const needed = neededBy(declared);
  return needed.flatMap((mishap): Problem[] => {
    const { kept, why } = survives[mishap];
    if (kept === "kept") return [];
    const text = `${verdicts[kept]} when ${mishaps[mishap]}: ${why}. ${adviceFor(mishap, advice)}`.trim();
    return [{ part, topic, kind: kept === "unknown" ? "unseen" : "weaker", text }];
  });
}

const verdicts = {
  mostly: "What was acknowledged may be lost",
  lost: "What was acknowledged is lost",
  unknown: "Nobody could tell whether what was acknowledged is lost",
} as const;

/** The first advice helps; of replicas it is the one that matters when a disk is gone. */
function adviceFor(mishap: Mishap, advice: readonly string[]): string {
  const fits = mishap === "disk" ? advice.find((text) => /replicas|standby/.test(text)) : undefined;
  return fits ?? advice[0] ?? "";
}
