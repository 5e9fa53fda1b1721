import { Command } from "commander";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";
import { CliError, exitHelp } from "../exit.ts";
import { print } from "../print.ts";

interface Options extends ServerOptions {
  readonly key?: string;
}

const examples = `
Examples:
  waybill parked                               by how it failed: how many keys, since when, one sample
  waybill parked orders                        the keys of one service, the oldest first
  waybill parked orders --key o-1              one key with all that waits behind it
  waybill parked --json | jq '.groups[].fingerprint'

Where no server runs, only the first of these can be shown.
`;

export function parkedCommand(): Command {
  return withServer(new Command("parked").argument("[service]", "only this service"))
    .description("Show what is set aside because it could not be handled, and why.")
    .option("--key <key>", "one key, with its inputs")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(service: string | undefined, options: Options): Promise<void> {
  const { findShop } = await import("../shop/found.ts");
  const { groupsText, keysText, keyText, readGroups, readKey, readKeys } = await import("../shop/parked.ts");
  const { key, json } = options;
  if (key !== undefined && service === undefined) throw new CliError("usage", "--key: name the service as well.");
  const found = findShop(await deploymentOf(options), options.server);
  if (service === undefined) {
    const groups = await readGroups(found);
    return print(json, { groups }, () => groupsText(groups));
  }
  if (key === undefined) {
    const keys = await readKeys(found, service);
    return print(json, { keys }, () => keysText(keys));
  }
  const one = await readKey(found, service, key);
  print(json, one, () => keyText(one));
}
