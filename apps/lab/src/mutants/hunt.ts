// Runs seeds with one mutant switched on, or "none", until a seed fails: `hunt.ts NAME FROM TO`. Prints one line of JSON.
import { mutants } from "./list.ts";
import { switchOn } from "./patch.ts";

const [name, from, to] = process.argv.slice(2);
const mutant = mutants.find((one) => one.name === name);
if (mutant !== undefined) switchOn(mutant);
else if (name !== "none") throw new Error(`There is no mutant "${name}".`);
Error.stackTraceLimit = 0;
const { planOf } = await import("../simulate/plan.ts");
const { run } = await import("../simulate/run.ts");

/** What the first seed that fails says, or nothing. */
async function hunt(): Promise<{ seeds: number; error: string | undefined }> {
  for (let seed = Number(from); seed <= Number(to); seed++) {
    const seeds = seed - Number(from) + 1;
    try {
      const { errors } = await run(planOf(seed));
      if (errors.length > 0) return { seeds, error: errors[0] };
    } catch (error) {
      return { seeds, error: String(error) };
    }
  }
  return { seeds: Number(to) - Number(from) + 1, error: undefined };
}

process.stdout.write(`${JSON.stringify(await hunt())}\n`);
