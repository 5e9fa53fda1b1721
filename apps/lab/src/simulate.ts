// `npm run simulate`: the whole shop over simulated time, with all that may go wrong, seed after seed; see --help.
import { help, optionsOf, type Options } from "./simulate/options.ts";
import { planOf } from "./simulate/plan.ts";
import { failureText, planWith } from "./simulate/report.ts";
import { run } from "./simulate/run.ts";
import { story } from "./simulate/story.ts";

// Errors are made by the thousand here, and none is looked at for where it came from.
Error.stackTraceLimit = 0;
const progressEveryMs = 1_000;

/** Lets what is written to the terminal get there. */
const breathe = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

async function simulate({ from, to, salt, only, story: told, failures }: Options): Promise<number> {
  const beganMs = performance.now();
  let saidMs = beganMs;
  const sums = { seeds: 0, orders: 0, events: 0, failed: 0, slowestMs: 0 };
  const progress = (): string => {
    const spentS = (performance.now() - beganMs) / 1_000;
    return `${sums.seeds} of ${to - from + 1} seeds, ${(sums.seeds / spentS).toFixed(0)} seeds/s, ${sums.orders} orders, ${sums.failed} failed`;
  };
  for (let seed = from; seed <= to && sums.failed < failures; seed++) {
    const result = await run({ ...planWith(planOf(seed), only), salt });
    sums.seeds += 1;
    sums.orders += result.orders;
    sums.events += result.events;
    sums.slowestMs = Math.max(sums.slowestMs, result.settledAfterMs);
    if (told) process.stdout.write(`${story(result)}\nTrace ${result.hash}\n`);
    if (result.errors.length > 0) {
      sums.failed += 1;
      if (!told) process.stdout.write(`${await failureText(result)}\n\n`);
    }
    if (performance.now() - saidMs > progressEveryMs) {
      saidMs = performance.now();
      process.stderr.write(`${progress()}\n`);
      await breathe();
    }
  }
  process.stdout.write(
    `${progress()}. ${sums.events} things happened; after the last trouble it took at most ${sums.slowestMs / 1_000} s until all was settled.\n`,
  );
  return sums.failed === 0 ? 0 : 1;
}

const options = optionsOf(process.argv.slice(2));
if (options === undefined) process.stdout.write(help);
else process.exitCode = await simulate(options);
