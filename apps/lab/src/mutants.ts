// `npm run mutants`: switches on one bug at a time, and shows what catches it; see --help.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import Table from "cli-table3";
import { mutants } from "./mutants/list.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { root, tryEdits } from "./mutants/patch.ts";

const help = `Usage: npm run mutants -- [options]

Switches on, one at a time, bugs that systems of this kind really had, and runs the simulator (or the tests that must see
what no run of the whole shop can show) until one is caught. The bugs are edits made while the sources are loaded, in a
process of its own; no file is changed. Ends with 1 when one survives.

  --only NAMES      only these (comma-separated)
  --seeds N         how many seeds a mutant may survive (default 1000)
  --list            print the mutants and end
  --help            this text
`;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    seeds: { type: "string", default: "1000" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const run = promisify(execFile);
const preload = new URL("mutants/preload.ts", import.meta.url).href;

interface Caught {
  readonly mutant: Mutant;
  /** What caught it; undefined: it survives. */
  readonly by: string | undefined;
  readonly seeds: number | undefined;
  readonly error: string;
}

/** Runs seeds with a mutant, or with none, until one fails. */
async function hunt(name: string, from: number, to: number): Promise<{ seeds: number; error?: string }> {
  const script = fileURLToPath(new URL("mutants/hunt.ts", import.meta.url));
  const { stdout } = await run(process.execPath, [...process.execArgv, script, name, String(from), String(to)]);
  return JSON.parse(stdout) as { seeds: number; error?: string };
}

/** Simulates until a seed fails that does not fail by itself. */
async function simulated(mutant: Mutant, seedsMax: number): Promise<Caught> {
  for (let from = 1; from <= seedsMax;) {
    const { seeds, error } = await hunt(mutant.name, from, seedsMax);
    const seed = from + seeds - 1;
    if (error === undefined) break;
    const byItself = await hunt("none", seed, seed);
    if (byItself.error === undefined) return { mutant, by: "simulator", seeds: seed, error };
    from = seed + 1;
  }
  return { mutant, by: undefined, seeds: seedsMax, error: "" };
}

interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Runs a mutant's own tests; one that fails has caught it. */
async function tested(mutant: Mutant, files: readonly string[]): Promise<Caught> {
  const config = fileURLToPath(new URL("../test/mutants.vitest.config.ts", import.meta.url));
  const vitest = `${root}node_modules/vitest/vitest.mjs`;
  const folder = mkdtempSync(join(tmpdir(), "waybill-mutant-"));
  const report = join(folder, "report.json");
  const reporting = ["--reporter=json", `--outputFile=${report}`];
  const args = [...process.execArgv, vitest, "run", "--config", config, "--root", root, ...reporting, ...files];
  const env = { ...process.env, WAYBILL_MUTANT: mutant.name, NODE_OPTIONS: `--import ${preload}` };
  // It ends with an error when a test fails, which is what is hoped for; without a report it could not run.
  const ended = await run(process.execPath, args, { cwd: root, env, maxBuffer: 67_108_864 }).catch(
    (error: unknown) => error,
  );
  if (!existsSync(report)) throw new Error(`The tests of mutant "${mutant.name}" did not run.`, { cause: ended });
  const { testResults } = JSON.parse(readFileSync(report, "utf8")) as TestReport;
  rmSync(folder, { recursive: true });
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === "failed");
    if (failed !== undefined) return { mutant, by: name.slice(root.length), seeds: undefined, error: failed.fullName };
  }
  return { mutant, by: undefined, seeds: undefined, error: "" };
}

/** Hunts them all, as many at once as there are cores. */
async function huntAll(wanted: readonly Mutant[], seedsMax: number): Promise<Caught[]> {
  const left = [...wanted];
  const results: Caught[] = [];
  const work = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const caught =
        mutant.tests === undefined ? await simulated(mutant, seedsMax) : await tested(mutant, mutant.tests);
      process.stderr.write(
        `${mutant.name}: ${caught.by ?? "survives"}${caught.seeds === undefined ? "" : `, seed ${caught.seeds}`}\n`,
      );
      results.push(caught);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results.toSorted((a, b) => wanted.indexOf(a.mutant) - wanted.indexOf(b.mutant));
}

const isWanted = ({ name }: Mutant): boolean => values.only?.split(",").includes(name) ?? true;
const wanted = mutants.filter(isWanted);
if (values.help) process.stdout.write(help);
else if (values.list) for (const { name, bug } of wanted) process.stdout.write(`${name}: ${bug}\n`);
else {
  for (const mutant of wanted) tryEdits(mutant);
  const results = await huntAll(wanted, Number(values.seeds));
  const drawn = new Table({ head: ["bug", "caught by", "seeds", "as"], style: { head: [], border: [] } });
  for (const { mutant, by, seeds, error } of results)
    drawn.push([mutant.bug, by ?? "nothing", seeds ?? "", error.slice(0, 70)]);
  process.stdout.write(`${drawn.toString()}\n`);
  const survivors = results.filter(({ by }) => by === undefined);
  process.stdout.write(`${results.length - survivors.length} of ${results.length} bugs are caught.\n`);
  process.exitCode = survivors.length === 0 ? 0 : 1;
}
