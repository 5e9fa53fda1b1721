import { Command } from "commander";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";
import { CliError, exitHelp } from "../exit.ts";
import { print } from "../print.ts";

interface Options extends ServerOptions {
  readonly reason: string;
  readonly acceptLoss?: string;
}

const examples = `
Examples:
  waybill lanes                                       says which lane has stopped, and why
  waybill resume inventory --reason "Build 1.4 mends it."
  waybill resume orders 3 --reason "Mended."
  waybill resume inventory --accept-loss orders --reason "Reconciled by hand."

With --accept-loss the service reads on in that topic without what is missing from it. Who asked and why stands in the
topic operations.
`;

export function resumeCommand(): Command {
  return withServer(
    new Command("resume")
      .argument("<service>", "the service whose lane has stopped")
      .argument("[lane]", "the lane's number", "0"),
  )
    .description("Let a lane that has stopped go on, or a topic that it reads no further.")
    .requiredOption("--reason <text>", "why; it is kept")
    .option("--accept-loss <topic>", "go on in this topic without what is missing from it")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(service: string, lane: string, options: Options): Promise<void> {
  const { findShop, refused } = await import("../shop/found.ts");
  if (!/^\d{1,4}$/.test(lane)) throw new CliError("usage", `"${lane}" is no number of a lane.`);
  const found = findShop(await deploymentOf(options), options.server);
  const { reason, acceptLoss: topic, json } = options;
  const path = `/lanes/${encodeURIComponent(service)}`;
  if (topic !== undefined) {
    const done = await found.post(`${path}/accept-loss`, { topic, reason }).catch(refused);
    return print(json, done, () => `${service} reads on in ${topic}.`);
  }
  const done = (await found.post(`${path}/${lane}/resume`, { reason }).catch(refused)) as { readonly stopped: string };
  print(json, done, () => `Lane ${service}/${lane} goes on. It had stopped: ${done.stopped}`);
}
