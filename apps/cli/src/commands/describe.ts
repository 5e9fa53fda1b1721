import { Command } from "commander";
import { exitHelp } from "../exit.ts";
import { print } from "../print.ts";

interface Options {
  readonly asyncapi?: true;
  readonly json?: true;
}

const examples = `
Examples:
  waybill describe
  waybill describe --asyncapi > asyncapi.json  the AsyncAPI 3.0 document of every topic and message
  waybill describe --json | jq '.messages[] | select(.readers == [])'

It tells what this build declares; no shop has to run.
`;

export function describeCommand(): Command {
  return new Command("describe")
    .description("Show every topic, message and service: who sends and who reads what.")
    .option("--asyncapi", "print it as an AsyncAPI 3.0 document, with all schemas")
    .option("--json", "print it as JSON")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform({ asyncapi, json }: Options): Promise<void> {
  const { asyncApiOfBuild, describedText, describeBuild } = await import("../shop/described.ts");
  if (asyncapi === true) return print(true, asyncApiOfBuild(), () => "");
  const described = describeBuild();
  print(json, described, () => describedText(described));
}
