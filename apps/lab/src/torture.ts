// npm run torture: the real programs under load, and everything that they stand on breaking.
import { optionsOf, usage } from "./torture/options.ts";
import { reportText } from "./torture/report-text.ts";
import { torture } from "./torture/run.ts";

let options: ReturnType<typeof optionsOf>;
try {
  options = optionsOf(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
  process.exit(2);
}
if (options === undefined) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
// A reader that has seen enough ends it as well.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(1));
// Whatever waits for something that never comes, somebody waits for this.
const tooLongMs = (options.minutes + 12) * 60_000;
setTimeout(() => {
  process.stderr.write(`The torture is not over after ${tooLongMs / 60_000} minutes: something hangs.\n`);
  process.exit(1);
}, tooLongMs).unref();
const report = await torture({ ...options, tell: (line) => process.stderr.write(`${line}\n`) });
process.stdout.write(`${options.json ? JSON.stringify(report, undefined, 2) : reportText(report)}\n`);
process.exit(report.ok ? 0 : 1);
