import { Command } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { lanesCommand } from "./commands/lanes.ts";
import { orderCommand } from "./commands/order.ts";
import { replayCommand } from "./commands/replay.ts";
import { startCommand } from "./commands/start.ts";
import { exitHelp } from "./exit.ts";

/** The whole command line. Throws CommanderError after help or a wrong use of it has been written. */
export function createProgram(): Command {
  const program = new Command("waybill")
    .description(
      "The message backbone for commerce: orders, stock, payments and fulfilment as message-driven services.",
    )
    .version(packageJson.version)
    .helpCommand(true)
    .showSuggestionAfterError()
    .addHelpText("after", `\n${exitHelp()}`);
  for (const command of [startCommand(), replayCommand(), orderCommand(), lanesCommand()]) {
    program.addCommand(command.copyInheritedSettings(program));
  }
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .allowExcessArguments(false)
      .showHelpAfterError(`Try: waybill ${command === program ? "" : `${command.name()} `}--help`);
  }
  return program;
}
