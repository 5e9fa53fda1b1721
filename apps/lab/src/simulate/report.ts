import { execFileSync } from "node:child_process";
import { shrunk } from "@waybill/simulator";
import type { Plan } from "./plan.ts";
import { run, type Result } from "./run.ts";
import { story } from "./story.ts";

/** The seed's plan with only these items. */
export function planWith(plan: Plan, only: ReadonlySet<string> | undefined): Plan {
  return only === undefined ? plan : { ...plan, items: plan.items.filter(({ id }) => only.has(id)) };
}

/** What to print of a seed that failed: its shortest story, and the command that tells it again. */
export async function failureText(failed: Result): Promise<string> {
  const { plan } = failed;
  const fails = async (items: Plan["items"]): Promise<boolean> => {
    const { errors } = await run({ ...plan, items });
    return errors.length > 0;
  };
  const items = await shrunk(plan.items, fails);
  const shortest = await run({ ...plan, items });
  return [
    `Seed ${plan.seed} fails at commit ${commit()}. Of ${plan.items.length} things that happen in it ${items.length} are enough:`,
    story(shortest),
    `Again: ${commandOf(shortest.plan)}`,
  ].join("\n");
}

/** The command that runs exactly this. */
export function commandOf({ seed, items }: Plan): string {
  return `npm run simulate -- --seed ${seed} --story --only ${items.map(({ id }) => id).join(",") || "nothing"}`;
}

/** The commit that is checked out, and whether files differ from it. */
export function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const changed = git("status", "--porcelain", "--untracked-files=no") === "" ? "" : ", with changes that are not committed";
    return git("rev-parse", "--short", "HEAD") + changed;
  } catch {
    return "unknown";
  }
}
