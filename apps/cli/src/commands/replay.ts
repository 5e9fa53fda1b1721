import { Argument, Command, Option } from "commander";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { deploymentOf, withDeployment, type DeploymentOptions } from "../deployment.ts";
import { CliError, exitCodes, exitHelp } from "../exit.ts";
import { stoppable } from "../stop.ts";
import type { Comparison, Reference } from "../replay/reference.ts";
import type { ReplayReport } from "../replay/report.ts";

interface Options extends Omit<DeploymentOptions, "data"> {
  readonly speed: string;
  readonly stock: string;
  readonly report?: string;
  readonly reference?: string;
  readonly data?: string;
  readonly fresh?: true;
  readonly json?: true;
}

const examples = `
Examples:
  waybill replay sample                        a month of a real shop's orders, as fast as it goes
  waybill replay sample --stock 0.8            four fifths of the stock: some orders must be refused
  waybill replay sample --speed 100000x        three weeks in twenty seconds
  waybill replay orders.csv.gz --report report.json --reference answers.json
  waybill replay sample --engine nats          on brokers and a database schema that nobody has used

A replay that was stopped or killed goes on when the same command is run again.
docs/replay.md says what is played, what is not, and how to read the report.
`;

export function replayCommand(): Command {
  return withDeployment(new Command("replay"))
    .description(
      "Play real orders from a file of invoice lines through a shop of their own, and check what came of them.",
    )
    .addArgument(new Argument("<file>", "a CSV file, plain or gzip, or: sample"))
    .addOption(new Option("--speed <how-fast>", "max, or how many times faster than life, such as 100x").default("max"))
    .addOption(
      new Option("--stock <how-much>", "exact (what the file needs), ample, or a share of exact such as 0.8").default(
        "exact",
      ),
    )
    .option("--report <file>", "write the whole report there, as JSON")
    .option("--reference <file>", "compare the report with answers that somebody else worked out")
    .option("--data <folder>", "the folder of the shop (default: .waybill/replay-<file>-<stock>)")
    .option("--fresh", "begin anew: delete what an earlier replay left in that folder")
    .option("--json", "print the report as JSON")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(argument: string, options: Options): Promise<void> {
  // What a command needs is loaded when it runs, so that --help is quick.
  const { createProgress } = await import("../replay/progress.ts");
  const { replay } = await import("../replay/run.ts");
  const { parseSpeed, sourceOf } = await import("../replay/plan.ts");
  const { parseStock } = await import("../replay/stock.ts");
  const { fileOf } = await import("../replay/sample.ts");
  const { defaultFolder } = await import("../replay/folder.ts");
  const file = fileOf(argument);
  const [speed, stock] = [parseSpeed(options.speed), parseStock(options.stock)];
  const folder = options.data ?? defaultFolder(sourceOf(file), stock);
  const { data: _data, ...where } = options;
  const config = await deploymentOf(where);
  const reference = await referenceOf(options.reference);
  const progress = createProgress(process.stderr, () => performance.now());
  const stopped = "Stopped. The same command goes on from here.";
  const { report, resumed } = await stoppable(stopped, async (signal) => {
    try {
      return await replay({ file, folder, config, stock, speed, fresh: options.fresh === true }, progress, signal);
    } finally {
      progress.end();
    }
  });
  if (resumed) progress.note("It went on with an earlier run: the pace below counts the pause between them.");
  await finish(report, reference, options);
}

async function referenceOf(file: string | undefined): Promise<Reference | undefined> {
  if (file === undefined) return undefined;
  const { readReference } = await import("../replay/reference.ts");
  return readReference(file);
}

async function finish(report: ReplayReport, reference: Reference | undefined, options: Options): Promise<void> {
  const { compareWithReference } = await import("../replay/reference.ts");
  const comparison = reference === undefined ? undefined : compareWithReference(report, reference);
  const whole = comparison === undefined ? report : { ...report, comparison };
  if (options.report !== undefined) await writeReport(options.report, whole);
  const text = options.json === true ? JSON.stringify(whole, undefined, 2) : await textOf(report, comparison);
  process.stdout.write(`${text}\n`);
  if (!report.ok || (comparison?.differences.length ?? 0) > 0) process.exitCode = exitCodes.failed.code;
}

async function writeReport(file: string, report: object): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
  } catch (error) {
    throw new CliError("unavailable", `The report cannot be written: ${(error as Error).message}.`, error);
  }
}

async function textOf(report: ReplayReport, comparison: Comparison | undefined): Promise<string> {
  const { comparisonText, reportText } = await import("../replay/report-text.ts");
  return [reportText(report), ...(comparison === undefined ? [] : [comparisonText(comparison)])].join("\n\n");
}
