import { Command } from "commander";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";
import { exitHelp } from "../exit.ts";
import { print } from "../print.ts";

const examples = `
Examples:
  waybill topics
  waybill topics --json
  waybill topics --data ./shop

For each topic: where it lives, how many messages it keeps (about: offsets are not dense), and how many bytes.
`;

export function topicsCommand(): Command {
  return withServer(new Command("topics"))
    .description("Show every topic and how much it holds.")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(options: ServerOptions): Promise<void> {
  const { findShop } = await import("../shop/found.ts");
  const { readTopics, topicsText } = await import("../shop/topics.ts");
  const topics = await readTopics(findShop(await deploymentOf(options), options.server));
  print(options.json, { topics }, () => topicsText(topics));
}
