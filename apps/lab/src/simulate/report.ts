import { execFileSync } from "node:child_process";
import { shrunk } from "@waybill/simulator";
import type { Plan } from "./plan.ts";
import { run, type Result } from "./run.ts";
import { story } from "./story.ts";

/** The seed's plan with only these items. */
export function planWith(plan: Plan, only: ReadonlySet<string> | undefined): Plan {
  return only === undefined ? plan : { ...plan, items: plan.items.filter(({ id }) => only.has(id)) };
}

/** How often a selection is tried, each time with other chance, before it counts as one that does not fail. */
const saltsMax = 6;

const failsAtAll = async (plan: Plan): Promise<boolean> => (await run(plan)).errors.length > 0;

/** The fewest things of a plan with which it still fails, and the chance with which they do. */
export async function shortest(plan: Plan, fails = failsAtAll): Promise<Plan> {
  let smallest = plan;
  await shrunk(plan.items, async (items) => {
    for (let tries = 0; tries < saltsMax; tries++) {
      const tried = { ...plan, items, salt: (smallest.salt + tries) % saltsMax };
      if (!(await fails(tried))) continue;
      smallest = tried;
      return true;
    }
    return false;
  });
  return smallest;
}

/** What to print of a seed that failed: its shortest story, and the command that tells it again. */
export async function failureText({ plan }: Result): Promise<string> {
  const least = await shortest(plan);
  return [
    `Seed ${plan.seed} fails at commit ${commit()}. Of ${plan.items.length} things that happen in it ${least.items.length} are enough:`,
    story(await run(least)),
    `Again: ${commandOf(least)}`,
  ].join("\n");
}

/** The command that runs exactly this. */
export function commandOf({ seed, salt, items }: Plan): string {
  return `npm run simulate -- --seed ${seed}${salt === 0 ? "" : ` --salt ${salt}`} --story --only ${items.map(({ id }) => id).join(",") || "nothing"}`;
}

/** The commit that is checked out, and whether files differ from it. */
export function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const changed =
      git("status", "--porcelain", "--untracked-files=no") === "" ? "" : ", with changes that are not committed";
    return git("rev-parse", "--short", "HEAD") + changed;
  } catch {
    return "unknown";
  }
}
