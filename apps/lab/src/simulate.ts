// `npm run simulate`: the whole shop over simulated time, with all that may go wrong, seed after seed; see --help.
import { help, optionsOf, type Options } from "./simulate/options.ts";
import { added, none, runSeed, type Sums } from "./simulate/seeds.ts";
import { inProcesses } from "./simulate/workers.ts";

// Errors are made by the thousand here, and none is looked at for where it came from.
Error.stackTraceLimit = 0;
const progressEveryMs = 1_000;

/** Lets what is written to the terminal get there. */
const breathe = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

async function simulate(options: Options): Promise<number> {
  const { from, to, failures, workers } = options;
  const beganMs = performance.now();
  let saidMs = beganMs;
  let sums = none;
  const progress = (): string => {
    const spentS = (performance.now() - beganMs) / 1_000;
    return `${sums.seeds} of ${to - from + 1} seeds, ${(sums.seeds / spentS).toFixed(0)} seeds/s, ${sums.orders} orders, ${sums.failed} failed`;
  };
  /** Adds what came of some seeds; whether there shall be more. */
  const heard = (more: Sums): boolean => {
    process.stdout.write(more.told);
    sums = { ...added(sums, more), told: "" };
    return sums.failed < failures;
  };
  /** Says how far it is, now and then; whether it did. */
  const said = (): boolean => {
    if (performance.now() - saidMs < progressEveryMs) return false;
    saidMs = performance.now();
    process.stderr.write(`${progress()}\n`);
    return true;
  };
  if (workers > 1) {
    await inProcesses(options, (more) => {
      const goesOn = heard(more);
      said();
      return goesOn;
    });
  } else {
    for (let seed = from; seed <= to && heard(await runSeed(seed, options)); seed++) if (said()) await breathe();
  }
  process.stdout.write(
    `${progress()}. ${sums.events} things happened; after the last trouble it took at most ${sums.slowestMs / 1_000} s until all was settled.\n`,
  );
  return sums.failed === 0 ? 0 : 1;
}

const options = optionsOf(process.argv.slice(2));
if (options === undefined) process.stdout.write(help);
else process.exitCode = await simulate(options);
