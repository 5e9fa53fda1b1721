import { Command } from "commander";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";
import { exitHelp } from "../exit.ts";

const examples = `
Examples:
  waybill lanes
  waybill lanes --json
  waybill lanes --data .waybill/replay-online-retail-2010-12-exact

For each service, lane and topic: the first offset that is not handled yet, the end of the log, how many messages
(counted up to 10,000) and how many seconds lie between them, and what is wrong, if anything is.
It asks the server of the data folder, or reads the folder itself when no server runs. On any other engine than the
embedded one it reads database and brokers.
`;

export function lanesCommand(): Command {
  return withServer(new Command("lanes"))
    .description("Show how far each service has read: position, end, and lag in messages and seconds.")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(options: ServerOptions): Promise<void> {
  const { findShop } = await import("../shop/found.ts");
  const { lanesText, readLanes } = await import("../shop/lanes.ts");
  const lanes = await readLanes(findShop(await deploymentOf(options), options.server));
  process.stdout.write(`${options.json === true ? JSON.stringify(lanes, undefined, 2) : lanesText(lanes)}\n`);
}
