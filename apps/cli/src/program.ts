import { Command } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { auditCommand } from "./commands/audit.ts";
import { configCommand } from "./commands/config.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { forgetCommand } from "./commands/forget.ts";
import { dismissCommand, resendCommand } from "./commands/letter.ts";
import { lettersCommand } from "./commands/letters.ts";
import { keyCommand } from "./commands/key.ts";
import { lanesCommand } from "./commands/lanes.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { newCommand } from "./commands/new.ts";
import { orderCommand } from "./commands/order.ts";
import { replayCommand } from "./commands/replay.ts";
import { startCommand } from "./commands/start.ts";
import { describeCommand } from "./commands/describe.ts";
import { discardCommand } from "./commands/discard.ts";
import { parkedCommand } from "./commands/parked.ts";
import { redriveCommand } from "./commands/redrive.ts";
import { tailCommand } from "./commands/tail.ts";
import { topicsCommand } from "./commands/topics.ts";
import { resolveCommand } from "./commands/resolve.ts";
import { resumeCommand } from "./commands/resume.ts";
import { exitHelp } from "./exit.ts";

/** Every command, in the order of the help. */
const commands = [
  startCommand,
  configCommand,
  migrateCommand,
  doctorCommand,
  replayCommand,
  orderCommand,
  lanesCommand,
  topicsCommand,
  tailCommand,
  describeCommand,
  parkedCommand,
  redriveCommand,
  discardCommand,
  resumeCommand,
  resolveCommand,
  lettersCommand,
  resendCommand,
  dismissCommand,
  forgetCommand,
  auditCommand,
  keyCommand,
  newCommand,
];

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
  for (const make of commands) program.addCommand(make().copyInheritedSettings(program));
  strict(program, "waybill");
  return program;
}

/** Lets a command and those under it end by an error that tells how to get help, and take nothing that they do not know. */
function strict(command: Command, path: string): void {
  command.exitOverride().allowExcessArguments(false).showHelpAfterError(`Try: ${path} --help`);
  for (const under of command.commands) strict(under, `${path} ${under.name()}`);
}
