import { Command } from "commander";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";
import { CliError, exitHelp } from "../exit.ts";
import { print } from "../print.ts";

interface Options extends ServerOptions {
  readonly reason: string;
}

const examples = `
Examples:
  waybill parked inventory --key o-1           shows the number of each input
  waybill discard inventory o-1 7 --reason "Counted by hand."

Who did it, what it was and why stands in the topic operations: waybill tail operations
`;

export function discardCommand(): Command {
  return withServer(
    new Command("discard")
      .argument("<service>", "the service that has set it aside")
      .argument("<key>", "the key that it lies under")
      .argument("<number>", "the input's number, as waybill parked --key shows it"),
  )
    .description("Give up one input that is set aside, for good.")
    .requiredOption("--reason <text>", "why; it is kept")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(service: string, key: string, number: string, options: Options): Promise<void> {
  const { findShop, refused } = await import("../shop/found.ts");
  if (!/^\d{1,15}$/.test(number)) throw new CliError("usage", `"${number}" is no number of an input.`);
  const found = findShop(await deploymentOf(options), options.server);
  const path = `/parked/${encodeURIComponent(service)}/${encodeURIComponent(key)}/${number}/discard`;
  const done = (await found.post(path, { reason: options.reason }).catch(refused)) as {
    readonly discarded: { readonly type: string };
    readonly left: number;
  };
  print(options.json, done, () => {
    const left = done.left === 0 ? "nothing is left behind that key" : `${done.left} left behind that key`;
    return `${done.discarded.type} of ${key} is given up; ${left}.`;
  });
}
