import type { Rolls } from "./rolls.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { Weather } from "./weather.ts";

/** What befalls a call on its way. */
export type Fate =
  | { readonly kind: "fine" }
  /** Not made; the caller gets the error. */
  | { readonly kind: "lost"; readonly error: Error }
  /** Made; the caller gets the error. */
  | { readonly kind: "answer-lost"; readonly error: Error }
  /** The caller gets the error, and the call is made after all, so much later. */
  | { readonly kind: "late"; readonly error: Error; readonly ms: number };

const hearMsMax = 12;

export const fine: Fate = { kind: "fine" };

/** What a process asks of others, by kind: its death may be set for one of them. */
export type CallKind = "commit" | "append" | "claim" | "effect";

/** A process dies just before its n-th call of a kind leaves, or just after it was made and before the answer comes. */
export interface Death {
  readonly process: string;
  readonly call: CallKind;
  /** How many more calls of that kind it survives. */
  left: number;
  readonly when: "before" | "after";
  readonly die: () => void;
}

/**
 * The way between processes and what they share. Nothing on it keeps its order, and what has left a process arrives
 * without it.
 */
export class Network {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly chance: Rolls;
  readonly deaths = new Set<Death>();

  constructor(scheduler: Scheduler, weather: Weather, chance: Rolls) {
    this.scheduler = scheduler;
    this.weather = weather;
    this.chance = chance;
  }

  /** How long one way takes, in milliseconds; most are immediate, so that a simulation is quick. */
  delayMs(): number {
    const roll = this.chance.next();
    if (roll < this.weather.slow) return this.chance.between(1, this.weather.slowMsMax);
    return roll < 0.3 ? this.chance.between(1, 6) : 0;
  }

  /** How long it takes until a reader that waits hears of something new, in milliseconds; what comes meanwhile comes with it. */
  hearMs(): number {
    return this.delayMs() + this.chance.between(0, hearMsMax);
  }

  /** Something that a process asks of the other side. Never settles when the process dies before the answer. */
  call<T>(process: SimulatedProcess, kind: CallKind | undefined, work: () => Promise<T> | T, fate = fine): Promise<T> {
    const death = kind === undefined ? undefined : this.#deathAt(process, kind);
    if (death?.when === "before") {
      death.die();
      return new Promise(() => {});
    }
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => this.#answer(process, () => reject(error));
      if (fate.kind === "lost") return fail(fate.error);
      if (fate.kind === "late") fail(fate.error);
      const ms = this.delayMs() + (fate.kind === "late" ? fate.ms : 0);
      this.#arrive(ms, () => {
        const made = start(work);
        death?.die();
        if (fate.kind === "late") made.catch(() => undefined);
        else if (fate.kind === "answer-lost") made.then(() => fail(fate.error), fail);
        else made.then((value) => this.#answer(process, () => resolve(value)), fail);
      });
    });
  }

  #deathAt(process: SimulatedProcess, kind: CallKind): Death | undefined {
    for (const death of this.deaths) {
      if (death.process !== process.name || death.call !== kind) continue;
      death.left -= 1;
      if (death.left >= 0) continue;
      this.deaths.delete(death);
      return death;
    }
    return undefined;
  }

  #arrive(ms: number, run: () => void): void {
    if (ms === 0) run();
    else this.scheduler.after(ms, run);
  }

  #answer(process: SimulatedProcess, run: () => void): void {
    const ms = this.delayMs();
    if (ms === 0) process.reach(run);
    else this.scheduler.after(ms, () => process.reach(run));
  }
}

async function start<T>(work: () => Promise<T> | T): Promise<T> {
  return await work();
}
