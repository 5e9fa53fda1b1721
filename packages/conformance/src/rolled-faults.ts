import type { AppendFault, TransportPlan } from "./faulty-transport.ts";
import type { CommitFault, StoreCall, StorePlan } from "./faulty-store.ts";

/** How often each fault happens, from 0 to 1; together at most 1. What is not named never happens. */
export interface TransportOdds {
  /** An append that is not made. */
  readonly fail?: number;
  /** An append that is made, and its answer lost. */
  readonly loseAnswer?: number;
  /** An append that is made in part; how much of it is rolled too. */
  readonly part?: number;
  /** A fetch that is not made. */
  readonly fetch?: number;
}

/** Faults by chance. With numbers from a seed they come again in the same order. */
export function rolledTransportPlan(random: () => number, odds: TransportOdds): TransportPlan {
  return {
    append({ messages }) {
      const part: AppendFault = { kind: "part", count: Math.floor(random() * messages.length) };
      return rolled<AppendFault>(random(), [
        [odds.fail, { kind: "fail" }],
        [odds.loseAnswer, { kind: "lose-answer" }],
        [odds.part, part],
      ]);
    },
    fetch: () => rolled(random(), [[odds.fetch, { kind: "fail" as const }]]),
  };
}

/** How often each fault happens, from 0 to 1; together at most 1. What is not named never happens. */
export interface StoreOdds {
  /** A commit that is kept and its answer lost. */
  readonly unknownDone?: number;
  /** A commit that is not kept and nobody knows. */
  readonly unknownNotDone?: number;
  /** A commit that is not made. */
  readonly unavailable?: number;
  /** A call other than a commit that is not made. */
  readonly call?: number;
  /** The calls that may fail; all of them unless given. */
  readonly calls?: ReadonlySet<StoreCall>;
}

/** Faults by chance. With numbers from a seed they come again in the same order. */
export function rolledStorePlan(random: () => number, odds: StoreOdds): StorePlan {
  return {
    commit: () =>
      rolled<CommitFault>(random(), [
        [odds.unknownDone, { kind: "unknown-done" }],
        [odds.unknownNotDone, { kind: "unknown-not-done" }],
        [odds.unavailable, { kind: "unavailable" }],
      ]),
    call(name) {
      if (odds.calls?.has(name) === false) return undefined;
      return rolled(random(), [[odds.call, { kind: "unavailable" as const }]]);
    },
  };
}

/** The choice in whose share of [0, 1) the number lies. */
function rolled<Fault>(number: number, choices: readonly (readonly [number | undefined, Fault])[]): Fault | undefined {
  let below = 0;
  for (const [odds, fault] of choices) {
    below += odds ?? 0;
    if (number < below) return fault;
  }
  return undefined;
}
