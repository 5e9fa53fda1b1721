import { Command, InvalidArgumentError, Option } from "commander";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";
import { exitHelp } from "../exit.ts";
import { stoppable } from "../stop.ts";

interface Options extends ServerOptions {
  readonly lines?: number;
  readonly follow?: true;
  readonly type?: string;
  readonly subject?: string;
}

const examples = `
Examples:
  waybill tail orders
  waybill tail orders --lines 100 --type order.cancelled
  waybill tail payments --follow
  waybill tail stock --subject 85123A --json | jq .body
  waybill tail operations                      who has redriven or discarded what

With --json each line is a message as JSON. Tokens of payments are left out. Ctrl-C ends --follow.
`;

export function tailCommand(): Command {
  return withServer(new Command("tail").argument("<topic>", "the topic's name"))
    .description("Show the last messages of a topic, and those that come.")
    .addOption(new Option("-n, --lines <number>", "how many messages (default: 20)").argParser(lines))
    .option("-f, --follow", "go on with those that come")
    .option("--type <type>", "only messages of this type")
    .option("--subject <id>", "only messages about this order, SKU, …")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(topic: string, options: Options): Promise<void> {
  const { findShop } = await import("../shop/found.ts");
  const { messageLine, openTail } = await import("../shop/tail.ts");
  const { lines: limit = 20, follow, type, subject, json } = options;
  const found = findShop(await deploymentOf(options), options.server);
  await stoppable("Stopped.", async (signal) => {
    await using pages = await openTail(found, { topic, limit, type, subject, signal });
    do {
      const messages = await pages.next(follow === true);
      for (const message of messages)
        process.stdout.write(`${json === true ? JSON.stringify(message) : messageLine(message)}\n`);
    } while (follow === true && !signal.aborted);
  });
}

function lines(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 500) return Number(text);
  throw new InvalidArgumentError("Give a whole number from 1 to 500.");
}
