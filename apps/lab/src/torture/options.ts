import { parseArgs } from "node:util";
import { engines } from "./engines.ts";

export const usage = `Usage: npm run torture -- [--minutes 2] [--seed N] [--engine embedded] [--clients 8] [--rate 60]
       [--without TEXT] [--json]

Runs the real programs under load and breaks whatever they stand on: processes are killed and held, connections cut and
frozen, the disk filled. At the end the audit and the clients' own record of what was acknowledged must agree.

  --minutes  for how long faults come
  --seed     the order of faults and the clients' wishes; the same seed draws the same ones
  --engine   what the shop runs on: ${[...engines.keys()].join(", ")}
  --clients  how many clients there are
  --rate     how many orders a second they place at most, all together
  --without  leave out the faults whose names hold this text, such as "of the server"
  --json     print the report as JSON; progress goes to standard error

Exit codes: 0 all agree, 1 they do not, 2 the command line is wrong`;

export interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly engine: string;
  readonly clients: number;
  readonly ordersPerSecond: number;
  readonly without: string | undefined;
  readonly json: boolean;
}

/** Reads a command line. Throws with a sentence that says what is wrong. */
export function optionsOf(args: readonly string[]): Options | undefined {
  const string = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: string,
      seed: string,
      engine: string,
      clients: string,
      rate: string,
      without: string,
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return undefined;
  const engine = values.engine ?? "embedded";
  if (!engines.has(engine)) throw new Error(`--engine "${engine}": there are ${[...engines.keys()].join(", ")}.`);
  return {
    engine,
    minutes: numberOf("minutes", values.minutes, 2, 100_000),
    seed: numberOf("seed", values.seed, Date.now() % 1_000_000, 2 ** 31),
    clients: numberOf("clients", values.clients, 8, 1_000),
    ordersPerSecond: numberOf("rate", values.rate, 60, 100_000),
    without: values.without,
    json: values.json === true,
  };
}

function numberOf(name: string, text: string | undefined, otherwise: number, max: number): number {
  if (text === undefined) return otherwise;
  if (/^\d{1,10}(\.\d{1,3})?$/.test(text) && Number(text) > 0 && Number(text) <= max) return Number(text);
  throw new Error(`--${name} "${text}": give a number above 0, up to ${max}.`);
}
