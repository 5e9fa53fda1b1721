import { CommanderError } from "commander";
import { exitCodes, explain, Stopped } from "./exit.ts";
import { createProgram } from "./program.ts";
import { exitOf } from "./stop.ts";

// The launcher and this process are one program to whoever starts it: when the launcher is killed, so is this.
if (process.channel !== undefined) {
  process.channel.unref();
  process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
}
// A reader that has seen enough, such as `head`, is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 0 : exitCodes.fault.code);
});

process.exitCode = await run(process.argv.slice(2));

/** Runs one command line and returns what to exit with. */
async function run(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? exitCodes.ok.code);
  } catch (error) {
    // Commander has said what is wrong, or has shown the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code;
    if (error instanceof Stopped) {
      process.stderr.write(`${error.message}\n`);
      return exitOf(error.signal);
    }
    const { exit, text } = explain(error);
    process.stderr.write(`waybill: ${text}\n`);
    return exitCodes[exit].code;
  }
}
