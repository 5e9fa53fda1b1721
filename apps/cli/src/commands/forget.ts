import { Command } from "commander";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";
import { CliError, exitHelp } from "../exit.ts";
import { print } from "../print.ts";

interface Options extends ServerOptions {
  readonly reason?: string;
  readonly dryRun?: true;
}

const examples = `
Examples:
  waybill forget                                      shows what is kept of services that were taken out
  waybill forget loyalty --dry-run
  waybill forget loyalty --reason "Loyalty has gone to another system."

A service that was taken out of the shop may be put back, so what it knew is kept, and on the embedded engine no topic deletes what
it has not read. Forgetting deletes its states, timers, calls, parked inputs and how far it has read, for good; what it said stays
in its topics. Who asked and why stands in the topic operations. A service that is part of the shop is not forgotten.
`;

export function forgetCommand(): Command {
  return withServer(
    new Command("forget").argument("[service]", "a service that was taken out; without it all are shown"),
  )
    .description("Forget a service that was taken out, for good, or show what is kept of such services.")
    .option("--reason <text>", "why; it is kept, and nothing is forgotten without it")
    .option("--dry-run", "show what would be forgotten, and keep it")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(service: string | undefined, options: Options): Promise<void> {
  const { findShop } = await import("../shop/found.ts");
  const { forget, forgottenText, keptOf, readRemoved, removedText } = await import("../shop/removed.ts");
  const { reason, dryRun, json } = options;
  if (service === undefined && reason !== undefined)
    throw new CliError("usage", "Name the service that shall be forgotten.");
  if (service !== undefined && (reason === undefined) === (dryRun === undefined)) {
    throw new CliError("usage", "Say why with --reason, or look first with --dry-run what would be forgotten.");
  }
  const found = findShop(await deploymentOf(options), options.server);
  if (service === undefined) {
    const services = await readRemoved(found);
    return print(json, { services }, () => removedText(services));
  }
  if (reason === undefined) {
    const kept = await keptOf(found, service);
    return print(json, { kept }, () => removedText([kept]));
  }
  const forgotten = await forget(found, service, reason);
  print(json, { forgotten }, () => forgottenText(forgotten));
}
