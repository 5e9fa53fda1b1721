import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { isKind, kinds, variableOf, type Kind } from "../kinds.ts";
import { repository } from "../repository.ts";
import { composeAnswers, composeDown, composeUp } from "./compose.ts";
import { given } from "./given.ts";
import { install } from "./install.ts";
import { isRunning, runLocally, stopLocally } from "./local.ts";
import { openState, readState, type Entry } from "./state.ts";

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

interface Wanted {
  readonly cluster: boolean;
  readonly only: readonly Kind[];
  readonly local: boolean;
  readonly folder: string;
}

const examples = `
Examples:
  npm run brokers                          one of each, and the URLs
  npm run brokers -- --only nats,postgres  without Kafka
  npm run brokers -- --cluster             three servers of NATS, three of Kafka
  npm run brokers -- stop                  ends them

Where a URL is in the environment (WAYBILL_NATS_URL, WAYBILL_KAFKA_URL, WAYBILL_POSTGRES_URL) nothing is started.
Otherwise docker compose does it where an engine answers; otherwise programs of this machine do, and nats-server and
Kafka are installed into .brokers/programs by Go and Maven if they are not there.`;

/** `npm run brokers`: real servers for tests and examples, which go on in the background. */
export function createProgram(): Command {
  const program = new Command("npm run brokers --")
    .description("NATS, Kafka and PostgreSQL on 127.0.0.1, in the background, for tests and examples.")
    .helpCommand(true)
    .addHelpText("after", examples)
    .showHelpAfterError("Try: npm run brokers -- --help");
  program
    .command("start", { isDefault: true })
    .description("start what does not run yet, and print the URLs (this is what happens without a command)")
    .option("--cluster", "three servers of NATS and three of Kafka instead of one", false)
    .option("--local", "local programs, also where Docker answers", false)
    .addOption(onlyOption())
    .addOption(folderOption())
    .action(start);
  program.command("status").description("say what runs").addOption(folderOption()).action(status);
  program.command("stop").description("end what was started; its data stays").addOption(folderOption()).action(stop);
  program
    .command("install")
    .description("find or install the programs, PgBouncer too, without starting them")
    .addOption(onlyOption())
    .action(async ({ only }: Wanted) => await install(only, write));
  return program;
}

function onlyOption(): Option {
  return new Option("--only <kinds>", "some of them, with commas between")
    .argParser(kindsOf)
    .default(kinds, kinds.join());
}

function folderOption(): Option {
  return new Option("--folder <path>", "where data and logs are").default(join(repository, ".brokers"));
}

function kindsOf(text: string): Kind[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !isKind(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${kinds.join(", ")}.`);
  return kinds.filter((kind) => names.includes(kind));
}

async function start({ cluster, only, local, folder }: Wanted): Promise<void> {
  using state = openState(folder);
  const sources: [Kind, string, string][] = [];
  const missing: Kind[] = [];
  for (const kind of only) {
    const url = await given(kind);
    const entry = state.entries.find(
      (one) => one.kind === kind && one.cluster === isMany(kind, cluster) && isRunning(one),
    );
    if (url !== undefined) sources.push([kind, url, "from the environment"]);
    else if (entry !== undefined) sources.push([kind, entry.url, "running already"]);
    else missing.push(kind);
  }
  const hasCompose = missing.length > 0 && !local && (await composeAnswers(write));
  const keep = (entry: Entry, how: string) => {
    state.put(entry);
    sources.push([entry.kind, entry.url, how]);
  };
  if (hasCompose) for (const entry of await composeUp(missing, cluster)) keep(entry, "started by docker compose");
  else for (const kind of missing) keep(await runLocally(kind, isMany(kind, cluster), folder, write), "started");
  for (const [kind, , how] of sources) write(`${kind}: ${how}`);
  write("\nFor the programs that use them:\n");
  for (const [kind, url] of sources) write(`export ${variableOf(kind)}='${url}'`);
  write("\nThey end with: npm run brokers -- stop");
}

/** A cluster has one PostgreSQL too: its replicas are another matter. */
function isMany(kind: Kind, cluster: boolean): boolean {
  return cluster && kind !== "postgres";
}

function status({ folder }: Wanted): void {
  const entries = readState(folder);
  if (entries.length === 0) write("Nothing was started. Start it with: npm run brokers");
  for (const entry of entries) write(lineOf(entry));
}

function lineOf(entry: Entry): string {
  const what = `${entry.kind}${entry.cluster ? ", three servers" : ""}: ${entry.url}`;
  if (entry.servers.length === 0) return `${what}, by docker compose (docker compose ps says more)`;
  const processes = `processes ${entry.servers.map(({ pid }) => pid).join(", ")}`;
  return `${what}, ${isRunning(entry) ? `running (${processes})` : `not running any more (${processes})`}`;
}

async function stop({ folder }: Wanted): Promise<void> {
  using state = openState(folder);
  const entries = [...state.entries];
  if (entries.length === 0) write("Nothing was started.");
  if (entries.some(({ servers }) => servers.length === 0)) await composeDown();
  for (const entry of entries) {
    await stopLocally(entry);
    state.remove(entry);
    write(`${entry.kind}${entry.cluster ? ", three servers" : ""}: stopped`);
  }
}
