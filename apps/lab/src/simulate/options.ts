import { parseArgs } from "node:util";

export const help = `Usage: npm run simulate -- [options]

Runs the whole shop (its real core and services) in one process over simulated time, databases, logs, a gateway and mail,
with all that may go wrong, once for each seed, and checks after each that every order is settled and all books agree.

  --seeds A..B      the seeds (default 1..1000)
  --seed N          one seed
  --salt N          other chance for the same things (default 0); a failing seed prints it
  --only NAMES      only these things of the seed happen (comma-separated); a failing seed prints them
  --story           tell what happened, even when nothing failed
  --failures N      end after so many failing seeds (default 3)
  --workers N       share the seeds among so many processes (default 1); one for each core is as fast as it gets
  --help            this text
`;

export interface Options {
  readonly from: number;
  readonly to: number;
  readonly salt: number;
  readonly only: ReadonlySet<string> | undefined;
  readonly story: boolean;
  readonly failures: number;
  readonly workers: number;
}

/** The command line's options; undefined when the help is asked for. Throws what a person can read. */
export function optionsOf(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string", default: "1..1000" },
      seed: { type: "string" },
      salt: { type: "string", default: "0" },
      only: { type: "string" },
      story: { type: "boolean", default: false },
      failures: { type: "string", default: "3" },
      workers: { type: "string", default: "1" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const range = /^(\d+)(?:\.\.(\d+))?$/.exec(values.seed ?? values.seeds);
  if (range === null) throw new Error(`--seeds ${values.seeds}: say it as 1..1000.`);
  const from = Number(range[1]);
  return {
    from,
    to: Number(range[2] ?? from),
    salt: Number(values.salt),
    only: values.only === undefined ? undefined : new Set(values.only.split(",")),
    story: values.story,
    failures: numberFrom1("--failures", values.failures),
    workers: numberFrom1("--workers", values.workers),
  };
}

function numberFrom1(option: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${option} ${value}: say a number from 1.`);
  return number;
}
