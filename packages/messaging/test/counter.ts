import { type } from "arktype";
import {
  command,
  effect,
  event,
  service,
  state,
  timer,
  topic,
  when,
  whenDue,
  whenSettled,
  type Held,
  type Out,
} from "@waybill/messaging";

// A small domain to try the core on: things are counted, a tally hears of each count, and calls go to the outside.

export const countIn = topic("count-in", { door: true });
export const counts = topic("counts", { writers: ["counter", "rekeyer"] });

const counted_ = type({ id: "string", total: "number.integer" });

export const count = command("thing.count", {
  topic: countIn,
  schema: type({ id: "string", by: "number.integer", "fail?": "boolean", "call?": "boolean", "after?": "number" }),
  subject: (m) => m.id,
  samples: [{ id: "a", by: 1 }],
});

export const counted = event("thing.counted", {
  topic: counts,
  schema: counted_,
  subject: (m) => m.id,
  samples: [{ id: "a", total: 1 }],
});

/** All of them under one key, so that they meet in one partition wherever they come from. */
export const gathered = event("thing.gathered", {
  topic: counts,
  schema: counted_,
  subject: (m) => m.id,
  key: () => "everything",
  samples: [{ id: "a", total: 1 }],
});

export interface Count {
  readonly total: number;
  readonly rings: number;
  readonly answers: readonly string[];
}

export const thing = state<Count>("thing");
export const tally = state<{ readonly seen: readonly number[] }>("tally");
export const bell = timer("bell");
export const call = effect<{ id: string; total: number }, string>("call", { queue: "line" });

const none: Count = { total: 0, rings: 0, answers: [] };

export const counter = service("counter", {
  sends: [counted],
  on: [
    when(
      count,
      (m) => [thing(m.id)],
      (m, [t], out) => {
        const before = t.value ?? none;
        const total = before.total + m.by;
        out.save(t, { ...before, total });
        out.send(counted, { id: m.id, total });
        if (m.call === true) out.effect(call, { id: m.id, total });
        if (m.after !== undefined) out.at(bell, out.nowMs + m.after);
        if (m.fail === true) throw new Error(`${m.id} cannot be counted`);
      },
    ),
    whenDue(
      bell,
      (t) => [thing(t.key)],
      (_t, [held], out) => {
        const before = held.value ?? none;
        out.save(held, { ...before, rings: before.rings + 1 });
      },
    ),
    whenSettled(
      call,
      (r) => [thing(r.input.id)],
      (r, [held], out) => {
        const before = held.value ?? none;
        const answer = r.outcome.kind === "done" ? r.outcome.value : r.outcome.kind;
        out.save(held, { ...before, answers: [...before.answers, answer] });
      },
    ),
  ],
});

const keepTotal = (m: { total: number }, held: Held<{ readonly seen: readonly number[] }>, out: Out): void => {
  out.save(held, { seen: [...(held.value?.seen ?? []), m.total] });
};

/** Keeps every total that it hears of, in order. */
export const tallier = service("tallier", {
  on: [
    when(
      counted,
      (m) => [tally(m.id)],
      (m, [held], out) => keepTotal(m, held, out),
    ),
    when(
      gathered,
      (m) => [tally(m.id)],
      (m, [held], out) => keepTotal(m, held, out),
    ),
  ],
});
