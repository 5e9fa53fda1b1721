import { Command } from "commander";
import { exitHelp } from "../exit.ts";
import { print } from "../print.ts";

interface Options {
  readonly json?: true;
}

const examples = `
Examples:
  waybill describe
  waybill describe --json | jq '.messages[] | select(.readers == [])'

It tells what this build declares; no shop has to run.
`;

export function describeCommand(): Command {
  return new Command("describe")
    .description("Show every topic, message and service: who sends and who reads what.")
    .option("--json", "print it as JSON")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform({ json }: Options): Promise<void> {
  const { describedText, describeBuild } = await import("../shop/described.ts");
  const described = describeBuild();
  print(json, described, () => describedText(described));
}
