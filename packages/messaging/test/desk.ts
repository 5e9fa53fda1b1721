import { type } from "arktype";
import {
  command,
  effect,
  service,
  state,
  topic,
  when,
  whenSettled,
  type EffectAdapter,
  type Outcome,
  type TryAgain,
} from "@waybill/messaging";

// A third small domain, for calls to the outside: a desk charges and writes letters, and notes every answer.

export const jobsIn = topic("jobs-in", { door: true });

export const job = command("job.do", {
  topic: jobsIn,
  schema: type({ id: "string", n: "number.integer", does: "'charge'|'letter'|'hint'" }),
  subject: (m) => m.id,
  samples: [{ id: "a", n: 1, does: "charge" }],
});

export interface Asked {
  readonly id: string;
  readonly n: number;
}

export const charge = effect<Asked, string>("charge", { queue: "gateway", money: true });
export const letter = effect<Asked, string>("letter", { queue: "post", atMostOnce: true });
export const hint = effect<Asked, string>("hint", { queue: "hints", giveUpMs: 60_000 });
const effects = { charge, letter, hint };

export const desk = state<{ readonly answers: readonly string[] }>("desk");

/** `3 done yes`: what was asked, and what came of it. */
function noted(n: number, outcome: Outcome<string>): string {
  return `${n} ${outcome.kind} ${outcome.kind === "done" ? outcome.value : outcome.reason}`;
}

export const clerk = service("clerk", {
  on: [
    when(
      job,
      () => [],
      (m, _none, out) => out.effect(effects[m.does], { id: m.id, n: m.n }),
    ),
    ...Object.values(effects).map((of) =>
      whenSettled(
        of,
        (r) => [desk(r.input.id)],
        (r, [held], out) => {
          out.save(held, { answers: [...(held.value?.answers ?? []), noted(r.input.n, r.outcome)] });
        },
      ),
    ),
  ],
});

/** An adapter whose answers the test decides, and which remembers whom it was asked for. */
export interface Line extends EffectAdapter<Asked, string> {
  /** `a 1` for each call begun, in order, and the keys that they came with. */
  readonly calls: { readonly what: string; readonly key: string; readonly attempt: number }[];
  readonly finds: string[];
  /** How many calls are open now, and how many were at most. */
  readonly open: { now: number; most: number };
}

export type Answer = (asked: Asked, attempt: number) => Promise<Outcome<string> | TryAgain>;

export function line(answer: Answer, options: Partial<EffectAdapter<Asked, string>> = {}): Line {
  const made: Line = {
    idempotent: "key",
    keyTtlMs: 86_400_000,
    ...options,
    calls: [],
    finds: [],
    open: { now: 0, most: 0 },
    async call(input, { key, attempt }) {
      made.calls.push({ what: `${input.id} ${input.n}`, key, attempt });
      made.open.most = Math.max(made.open.most, ++made.open.now);
      try {
        return await answer(input, attempt);
      } finally {
        made.open.now -= 1;
      }
    },
  };
  return made;
}

export const yes: Answer = async () => ({ kind: "done", value: "yes" });
export const never: Answer = () => new Promise(() => undefined);

/** Every adapter of the desk: these, and a plain one for the rest. */
export function lines(some: { charge?: Line; letter?: Line; hint?: Line }): Record<string, Line> {
  return { charge: some.charge ?? line(yes), letter: some.letter ?? line(yes), hint: some.hint ?? line(yes) };
}
