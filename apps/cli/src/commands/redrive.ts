import { Command, InvalidArgumentError, Option } from "commander";
import { readFile } from "node:fs/promises";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";
import { CliError, exitCodes, exitHelp } from "../exit.ts";
import { stoppable } from "../stop.ts";

interface Options extends ServerOptions {
  readonly key?: string;
  readonly fingerprint?: string;
  readonly body?: string;
  readonly rate?: number;
  readonly dryRun?: true;
}

const examples = `
Examples:
  waybill redrive orders --fingerprint "Error message order.place" --dry-run
  waybill redrive orders --fingerprint "Error message order.place" --rate 10
  waybill redrive orders --key o-1
  waybill redrive orders --key o-1 --body mended.json

Keys are tried again the oldest first. One that was stopped goes on when the same command is run again. A dry run shows what the
handler would do with each key's first input, and keeps nothing. With --json each line is a key as JSON. It exits with 1 when
any of them failed again.
`;

export function redriveCommand(): Command {
  return withServer(new Command("redrive").argument("<service>", "the service that has set it aside"))
    .description("Try again what is set aside: one key, or all that failed alike.")
    .option("--key <key>", "this key")
    .option("--fingerprint <text>", "every key with this fingerprint, as waybill parked shows it")
    .option("--body <file>", "with --key: JSON to take in place of the first input's body; - is the standard input")
    .addOption(new Option("--rate <keys>", "keys a second (default: 10)").argParser(rate))
    .option("--dry-run", "show what would be done, and keep nothing")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(service: string, options: Options): Promise<void> {
  const { findShop } = await import("../shop/found.ts");
  const { redriveAll, resultLine } = await import("../shop/redrive.ts");
  const { key, fingerprint, body: file, rate: perSecond = 10, dryRun = false, json } = options;
  if ((key === undefined) === (fingerprint === undefined)) {
    throw new CliError("usage", "Give either --key or --fingerprint; waybill parked shows both.");
  }
  if (file !== undefined && key === undefined)
    throw new CliError("usage", "--body is for one key: name it with --key.");
  const body = file === undefined ? undefined : await jsonIn(file);
  const found = findShop(await deploymentOf(options), options.server);
  const asked = { service, key, fingerprint, body, perSecond, dryRun };
  let failures = 0;
  let keys = 0;
  await stoppable("Stopped. The same command goes on with what is left.", async (signal) => {
    for await (const result of redriveAll(found, asked, signal)) {
      keys += 1;
      if (result.outcome === "failed" || result.outcome === "elsewhere" || result.would?.kind === "failed")
        failures += 1;
      process.stdout.write(`${json === true ? JSON.stringify(result) : resultLine(result)}\n`);
    }
  });
  if (json !== true) process.stderr.write(`${keys} ${keys === 1 ? "key" : "keys"}, ${failures} without success.\n`);
  if (failures > 0) process.exitCode = exitCodes.failed.code;
}

async function jsonIn(file: string): Promise<unknown> {
  const text = await readFile(file === "-" ? "/dev/stdin" : file, "utf8").catch((error: Error) => {
    throw new CliError("data", `--body ${file} cannot be read: ${error.message}.`, error);
  });
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new CliError("data", `--body ${file} is not JSON: ${(error as Error).message}.`, error);
  }
}

function rate(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 100) return Number(text);
  throw new InvalidArgumentError("Give keys a second from 1 to 100.");
}
