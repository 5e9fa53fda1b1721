import { arrivalErrors, chainErrors, repeatErrors, timerErrors } from "./arrivals.ts";
import { bookErrors } from "./books.ts";
import { Course } from "./faults.ts";
import { People } from "./people.ts";
import type { Plan } from "./plan.ts";
import { Scene } from "./scene.ts";
import { unsettled } from "./settled.ts";

/** What came of one seed. */
export interface Result {
  readonly plan: Plan;
  readonly errors: readonly string[];
  /** The fingerprint of all that happened. */
  readonly hash: string;
  readonly events: number;
  readonly orders: number;
  /** How long it took from the end of all trouble until everything had settled, in simulated milliseconds. */
  readonly settledAfterMs: number;
  readonly scene: Scene;
}

/** How long after the last trouble everything must have settled: longer than any deadline and any pause before a repeat. */
export const boundMs = 600_000;
const lookEveryMs = 5_000;

/** Lives through a plan, and checks at its end what must hold. */
export async function run(plan: Plan): Promise<Result> {
  const scene = new Scene(plan);
  const people = new People(scene);
  const course = new Course(scene, people, plan.seed + plan.salt * 1_000_003);
  const { scheduler } = scene;
  for (const host of scene.hosts) host.start();
  people.stockUp();
  await scheduler.run(3_000);
  course.begin(plan.items);
  const { troubleMs } = plan.setting;
  while (scheduler.nowMs < troubleMs) {
    await scheduler.run(scheduler.nowMs + (scheduler.nowMs < 60_000 ? lookEveryMs : 60_000));
    await people.lookAfter();
  }
  course.heal();
  // What was lost is found when its lane is claimed next, which may have to wait until its owner counts as dead.
  const foundAfterMs = course.mayHaveLost ? plan.setting.tickMs * 6 : 0;
  await scheduler.run(scheduler.nowMs + foundAfterMs + lookEveryMs);
  if (plan.items.some((item) => item.kind === "lose" && item.topic === "orders-in")) await people.missOrders();
  const left = await settle(scene, people);
  const settledAfterMs = scheduler.nowMs - troubleMs;
  const errors = scene.lines.alarming.map(({ text, facts }) => `${text} ${String(facts["error"])}`);
  if (left.length > 0) errors.push(...left.map((what) => `after ${boundMs / 60_000} minutes without trouble ${what}`));
  else errors.push(...(await verdict(scene, people, plan)));
  scheduler.trace.addText(errors.join());
  const result = {
    plan,
    errors,
    hash: scheduler.trace.hash,
    events: scheduler.trace.events,
    orders: people.placed.size,
  };
  scheduler.end();
  return { ...result, settledAfterMs, scene };
}

/** Waits until everything is over; what is not by the bound. */
async function settle(scene: Scene, people: People): Promise<string[]> {
  const { scheduler } = scene;
  const untilMs = scheduler.nowMs + boundMs;
  for (;;) {
    await scheduler.run(scheduler.nowMs + lookEveryMs);
    const left = await unsettled(scene, people);
    if (left.length === 0 || scheduler.nowMs >= untilMs) return left;
    await people.lookAfter();
  }
}

async function verdict(scene: Scene, people: People, plan: Plan): Promise<string[]> {
  const has = (kind: string): boolean => plan.items.some((item) => item.kind === kind);
  const errors = [...scene.ledger.errors, ...(await bookErrors(scene, people, plan))];
  if (!scene.isRewound) errors.push(...(await arrivalErrors(scene)));
  else if (mayKnowWhatItSaid(plan)) errors.push(...(await repeatErrors(scene)));
  errors.push(...(await timerErrors(scene, !has("clock") && !scene.isRewound)));
  if (!scene.isRewound && !has("lose") && !has("recreate")) errors.push(...chainErrors(scene));
  return errors;
}

/**
 * Whether a service that was put back can know all that it had said. It cannot where its tables are lost; where it is put back again to before
 * it noticed the first time; where what it had sent reaches the log only after it has looked there, which is so of an append that is repeated
 * in bad weather while the tables are put back; and where the database's clock went back, by which it looks for what was never confirmed.
 */
function mayKnowWhatItSaid({ items }: Plan): boolean {
  const rewinds = items.filter((item) => item.kind === "rewind");
  if (new Set(rewinds.map(({ service }) => service)).size < rewinds.length) return false;
  return !items.some((item) => {
    if (item.kind !== "weather") return item.kind === "wipe" || item.kind === "clock";
    if ((item.chances.appendLate ?? 0) + (item.chances.slow ?? 0) > 0) return true;
    return rewinds.some(({ atMs, ms }) => item.atMs <= atMs + ms && atMs + ms <= item.atMs + item.ms);
  });
}
