import { Command, InvalidArgumentError, Option } from "commander";
import type { Config, RunningServer, RunningWork, ServerOptions, WaybillConfig } from "@waybill/server";
import { deploymentOf, withDeployment, type DeploymentOptions } from "../deployment.ts";
import { CliError, exitHelp } from "../exit.ts";

interface Options extends DeploymentOptions {
  readonly port?: number;
  readonly host?: string;
  readonly only?: readonly string[];
  readonly api: boolean;
  readonly migrate?: true;
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
  waybill start --engine nats --migrate        on NATS and PostgreSQL, whose URLs the environment says
  waybill start --engine kafka --only payments,fulfilment
  waybill start --engine kafka --only api      the HTTP interface apart from the services

Start as many as you like on an engine other than embedded: they share the work.
It ends on Ctrl-C or SIGTERM, once what is under way is stored. After a kill it goes on where it was.
`;

export function startCommand(): Command {
  return withDeployment(new Command("start"))
    .description("Start a shop, or a part of one: services, sandbox payment gateway and HTTP interface.")
    .option("-d, --data <folder>", "the folder of what is kept on this machine (default: .waybill)")
    .addOption(
      new Option("-p, --port <number>", "the port; 0 takes any (default: 4800 or the next free one)").argParser(port),
    )
    .option("--host <address>", "the address to listen on (default: 127.0.0.1); any other needs a key: waybill key new")
    .addOption(
      new Option(
        "--only <parts>",
        "work on these services only, with commas between; api is the HTTP interface",
      ).argParser(parts),
    )
    .option("--no-api", "without the HTTP interface")
    .option("--migrate", "prepare the database first, as waybill migrate does")
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
  const config = await deploymentOf(options, flagsOf(options));
  if (options.migrate === true) await migrated(config);
  const { runServer, welcome } = await import("@waybill/server");
  const startedAt = new Date().toISOString();
  const ready = (running: RunningServer | RunningWork): void => {
    const text = options.json === true ? JSON.stringify(factsOf(running, startedAt)) : welcome(running).join("\n");
    process.stdout.write(`${text}\n`);
  };
  process.exitCode = await runServer(serverOptions(options, config), ready).catch((error: unknown) => {
    // What is in the way of a start, such as a port in use, is no fault of the program.
    if (error instanceof Error && error.constructor === Error) throw new CliError("unavailable", error.message, error);
    throw error;
  });
}

async function migrated(config: Config): Promise<void> {
  const { databaseOf } = await import("./migrate.ts");
  const { migrate } = await import("@waybill/store-postgres");
  await migrate(databaseOf(config));
}

/** What the command line says of the deployment. */
function flagsOf(options: Options): WaybillConfig {
  const { host, port, dispatchAfter, paymentDeadline, gateway, retentionDays, retentionMib } = options;
  const kept = { retentionDays, retentionMib };
  return pruned({
    http: { host, port },
    shop: {
      dispatchAfterMs: dispatchAfter === undefined ? undefined : Math.round(dispatchAfter * 1_000),
      paymentDeadlineMs: paymentDeadline === undefined ? undefined : Math.round(paymentDeadline * 1_000),
      gatewayUrl: gateway === undefined ? undefined : url(gateway),
    },
    topics: { "*": kept },
  }) as WaybillConfig;
}

/** Without members that are undefined, at any depth. */
function pruned(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, pruned(member)]));
}

function serverOptions({ only, api, log, seed }: Options, config: Config): ServerOptions {
  return {
    config,
    seed,
    api,
    ...(only === undefined ? {} : { only }),
    ...(log === undefined ? {} : { log: log === "stderr" || log === "none" ? log : { file: log } }),
  };
}

/** What a script wants to know of a shop that has just started. */
function factsOf(running: RunningServer | RunningWork, startedAt: string): Record<string, unknown> {
  const { data, engine, services, gatewayUrl } = running;
  const url = "url" in running ? running.url : undefined;
  return { pid: process.pid, startedAt, url, data, engine, services, gatewayUrl };
}

function parts(text: string): readonly string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
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
