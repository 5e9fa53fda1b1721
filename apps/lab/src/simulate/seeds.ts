import type { Options } from "./options.ts";
import { planOf } from "./plan.ts";
import { failureText, planWith } from "./report.ts";
import { run } from "./run.ts";
import { story } from "./story.ts";

/** What came of some seeds. */
export interface Sums {
  readonly seeds: number;
  readonly orders: number;
  readonly events: number;
  readonly failed: number;
  /** The longest time that it took until all was settled, in simulated milliseconds. */
  readonly slowestMs: number;
  /** What is to be printed of them. */
  readonly told: string;
}

export const none: Sums = { seeds: 0, orders: 0, events: 0, failed: 0, slowestMs: 0, told: "" };

export function added(a: Sums, b: Sums): Sums {
  return {
    seeds: a.seeds + b.seeds,
    orders: a.orders + b.orders,
    events: a.events + b.events,
    failed: a.failed + b.failed,
    slowestMs: Math.max(a.slowestMs, b.slowestMs),
    told: a.told + b.told,
  };
}

/** Lives through one seed; one that fails is told with its shortest story. */
export async function runSeed(seed: number, options: Pick<Options, "salt" | "only" | "story">): Promise<Sums> {
  const result = await run({ ...planWith(planOf(seed), options.only), salt: options.salt });
  const hasFailed = result.errors.length > 0;
  const whole = options.story ? `${story(result)}\nTrace ${result.hash}\n` : "";
  return {
    seeds: 1,
    orders: result.orders,
    events: result.events,
    failed: hasFailed ? 1 : 0,
    slowestMs: result.settledAfterMs,
    told: hasFailed && !options.story ? `${await failureText(result)}\n\n` : whole,
  };
}
