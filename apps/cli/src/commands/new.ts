import { Command } from "commander";
import { exitHelp } from "../exit.ts";
import { print } from "../print.ts";
import type { Written } from "../new/write-service.ts";

interface Options {
  readonly in: string;
  readonly dryRun?: true;
  readonly json?: true;
}

const examples = `
Examples:
  waybill new service loyalty
  waybill new service gift-cards --dry-run
  waybill new service loyalty --json

It writes services/loyalty with a contract, rules, wiring and a test, and one line into the list of services. The service
counts the completed orders of each customer: change that into what yours shall do. To take it out delete folder and line.
docs/messaging-guide.md goes on from there.
`;

export function newCommand(): Command {
  return new Command("new")
    .description("Write a new service into this checkout: contract, rules, wiring, test, and its line in the shop.")
    .addCommand(
      new Command("service")
        .description("Write a small service that works, to be changed into yours.")
        .argument("<name>", "what it is called, in lower-case words with hyphens")
        .option("--in <folder>", "a folder of the checkout", ".")
        .option("--dry-run", "only tell what would be written")
        .option("--json", "print it as JSON")
        .addHelpText("after", `${examples}\n${exitHelp()}`)
        .action(perform),
    )
    .addHelpText("after", `${examples}\n${exitHelp()}`);
}

async function perform(name: string, { in: folder, dryRun, json }: Options): Promise<void> {
  const { writeService } = await import("../new/write-service.ts");
  const written = writeService(name, folder, dryRun);
  print(json, written, () => told(written, dryRun === true));
}

function told({ service, files, list, line }: Written, isTrial: boolean): string {
  const verb = isTrial ? "Would write" : "Wrote";
  const next = isTrial
    ? []
    : [
        "",
        `Try it:     npm run vitest -- services/${service}`,
        `Start it:   npx waybill start, place an order with the line that it prints, then npx waybill tail ${service}`,
        `Change it:  docs/messaging-guide.md`,
        `Remove it:  delete services/${service} and its line, start the shop, then npx waybill forget ${service}`,
      ];
  return [verb, ...files.map((path) => `  ${path}`), `  ${list}: ${line}`, ...next].join("\n");
}
