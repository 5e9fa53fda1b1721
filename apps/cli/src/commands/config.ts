import { Command } from "commander";
import { deploymentOf, withDeployment, type DeploymentOptions } from "../deployment.ts";
import { exitHelp } from "../exit.ts";

interface Options extends DeploymentOptions {
  readonly json?: true;
}

const examples = `
Examples:
  waybill config
  waybill config --engine hybrid --json

The command line wins over the environment, and that over the file; docs/configuration.md lists every setting.
Secrets are masked. Nothing is connected to.
`;

export function configCommand(): Command {
  return withDeployment(new Command("config"))
    .description("Show what a shop would run on: every setting, wherever it comes from.")
    .option("-d, --data <folder>", "the shop's data folder (default: .waybill)")
    .option("--json", "print it as JSON")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(options: Options): Promise<void> {
  const config = await deploymentOf(options);
  const { shown, shownText } = await import("@waybill/server");
  const text = options.json === true ? JSON.stringify(shown(config), undefined, 2) : shownText(config);
  process.stdout.write(`${text}\n`);
}
