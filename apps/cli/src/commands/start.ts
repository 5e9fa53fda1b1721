import { Command, InvalidArgumentError, Option } from "commander";
import type { ServerOptions } from "@waybill/server";
import { resolve } from "node:path";
import { CliError, exitHelp } from "../exit.ts";

interface Options {
  readonly data: string;
  readonly port?: number;
  readonly host: string;
  readonly dispatchAfter?: number;
  readonly paymentDeadline?: number;
  readonly gateway?: string;
  readonly log?: string;
  readonly retentionDays?: number;
  readonly retentionMib?: number;
  readonly seed: boolean;
  readonly json?: true;
}

const examples = `
Examples:
  waybill start                                a shop with a sample catalogue, on the first free port from 4800
  waybill start --port 8080 --data ./shop      on a port and in a folder of your own
  waybill start --no-seed --dispatch-after 60  empty; orders leave a minute after they are paid for
  waybill start --json --log stderr            for scripts: one line of JSON when it is ready

It ends on Ctrl-C or SIGTERM, once what is under way is stored. After a kill it goes on where it was.
`;

export function startCommand(): Command {
  return new Command("start")
    .description("Start a shop on this machine: services, data folder, sandbox payment gateway and HTTP interface.")
    .option("-d, --data <folder>", "the folder of everything that the shop keeps", ".waybill")
    .addOption(
      new Option("-p, --port <number>", "the port; 0 takes any (default: 4800 or the next free one)").argParser(port),
    )
    .option("--host <address>", "the address to listen on; any other needs a key: waybill key new", "127.0.0.1")
    .addOption(
      new Option(
        "--dispatch-after <seconds>",
        "how long after its confirmation an order leaves (default: 1)",
      ).argParser(seconds),
    )
    .addOption(
      new Option("--payment-deadline <seconds>", "how long goods are held without the money (default: 900)").argParser(
        seconds,
      ),
    )
    .option("--gateway <url>", "a payment gateway to use instead of a sandbox of its own")
    .option("--log <file>", "where the log goes, or: stderr, none (default: server.log in the data folder)")
    .addOption(
      new Option("--retention-days <days>", "how long each topic keeps its messages (default: for ever)").argParser(
        positive("days"),
      ),
    )
    .addOption(
      new Option("--retention-mib <MiB>", "above what size each topic lets its oldest go (default: none)").argParser(
        positive("MiB"),
      ),
    )
    .option("--no-seed", "leave a new data folder empty")
    .option("--json", "print one line of JSON when the shop is ready")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(options: Options): Promise<void> {
  const { runServer } = await import("@waybill/server");
  const print = options.json === true ? jsonLine(options.data) : (line: string) => process.stdout.write(`${line}\n`);
  const { readServerInfo } = await import("@waybill/store-sqlite");
  let said = false;
  function jsonLine(data: string) {
    return () => {
      if (said) return;
      said = true;
      process.stdout.write(`${JSON.stringify({ ...readServerInfo(data), data: resolve(data) })}\n`);
    };
  }
  process.exitCode = await runServer(serverOptions(options), print).catch((error: unknown) => {
    // What is in the way of a start, such as a port in use, is no fault of the program.
    if (error instanceof Error && error.constructor === Error) throw new CliError("unavailable", error.message, error);
    throw error;
  });
}

function serverOptions(options: Options): ServerOptions {
  const { data, port, host, dispatchAfter, paymentDeadline, gateway, log, seed } = options;
  const { retentionDays, retentionMib } = options;
  return {
    data,
    host,
    seed,
    ...(port === undefined ? {} : { port }),
    ...(dispatchAfter === undefined ? {} : { dispatchAfterMs: dispatchAfter * 1_000 }),
    ...(paymentDeadline === undefined ? {} : { paymentDeadlineMs: paymentDeadline * 1_000 }),
    ...(gateway === undefined ? {} : { gatewayUrl: url(gateway) }),
    ...(retentionDays === undefined ? {} : { retentionMs: Math.round(retentionDays * 86_400_000) }),
    ...(retentionMib === undefined ? {} : { retentionBytes: Math.round(retentionMib * 1_048_576) }),
    ...(log === undefined ? {} : { log: log === "stderr" || log === "none" ? log : { file: log } }),
  };
}

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
}

function seconds(text: string): number {
  if (/^\d{1,7}(\.\d{1,3})?$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give seconds, such as 60 or 0.5.");
}

function positive(unit: string) {
  return (text: string): number => {
    if (/^\d{1,7}(\.\d{1,3})?$/.test(text) && Number(text) > 0) return Number(text);
    throw new InvalidArgumentError(`Give a number of ${unit} above 0, such as 30.`);
  };
}

function url(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text;
  throw new CliError("usage", `--gateway "${text}": give an address such as http://127.0.0.1:8081.`);
}
