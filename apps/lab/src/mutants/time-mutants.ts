import type { Mutant } from "./mutant.ts";

const lane = "packages/messaging/src/lane";

/** Bugs of timers, and of calls to the outside. */
export const timeMutants: readonly Mutant[] = [
  {
    name: "timers-by-wall-clock",
    bug: "Timers fire by the clock, whatever is still unread",
    edits: [
      {
        file: `${lane}/lane.ts`,
        find: "this.#timeMs = Math.max(this.#timeMs, this.#inbox.timeMs(nowMs));",
        replace: "this.#timeMs = Math.max(this.#timeMs, nowMs);",
      },
    ],
  },
  {
    name: "timer-after-clear",
    bug: "A timer that is cleared stays in the table",
    edits: [{ file: `${lane}/draft.ts`, find: "this.#timer({ of: type, dueMs: undefined });", replace: "void type;" }],
  },
  {
    name: "timer-fires-in-its-batch",
    bug: "A timer that an earlier input of the same batch has cleared fires all the same",
    edits: [
      {
        file: `${lane}/run.ts`,
        find: "if (input.timer !== undefined && work.touched(input)) return undefined;",
        replace: "",
      },
    ],
    tests: ["packages/messaging/test/timers.test.ts"],
  },
  {
    name: "timer-twice",
    bug: "A timer that has fired is not deleted with what it did",
    edits: [
      {
        file: `${lane}/work.ts`,
        find: "if (input.timer !== undefined) this.#timers.set(timerText(input.timer), { key: input.timer, set: false });",
        replace: "",
      },
    ],
  },
  {
    name: "effects-unordered",
    bug: "Calls of one entity run side by side",
    edits: [
      {
        file: `${lane}/effect-queue.ts`,
        find: "return `${of.partition}/${of.key}`;",
        replace: "return `${of.partition}/${of.key}/${of.seq}`;",
      },
    ],
  },
  {
    name: "effect-before-commit",
    bug: "Calls and messages leave before their commit is known",
    edits: [
      {
        file: `${lane}/lane.ts`,
        find: "    const commit = this.#store.commit(batch);\n    this.#batch += 1;\n    this.#undurable += 1;\n",
        replace:
          "    if (work.effectsAdded.length > 0) this.#effects.added(work.effectsAdded);\n    if (work.messages.length > 0) this.#sender.add(work.messages);\n    const commit = this.#store.commit(batch);\n    this.#batch += 1;\n    this.#undurable += 1;\n",
      },
      {
        file: `${lane}/lane.ts`,
        find: "    if (outgoing.length > 0) this.#sender.add(outgoing);\n    if (work.effectsAdded.length > 0) this.#effects.added(work.effectsAdded);\n",
        replace: "    void outgoing;\n",
      },
    ],
  },
  {
    name: "new-key-each-attempt",
    bug: "A call is repeated under a new key",
    edits: [
      { file: `${lane}/outside.ts`, find: "this.key = row.id;", replace: "this.key = `${row.id}/${row.attempts}`;" },
    ],
  },
  {
    name: "key-outlived",
    bug: "A key is repeated after the other side has forgotten it",
    edits: [
      {
        file: `${lane}/outside.ts`,
        find: "return keyTtlMs !== undefined && ageOf(row, nowMs) >= keyTtlMs;",
        replace: "return keyTtlMs !== undefined && ageOf(row, nowMs) < 0;",
      },
    ],
  },
  {
    name: "unknown-is-refused",
    bug: "A call without an answer counts as refused",
    edits: [
      {
        file: `${lane}/outside.ts`,
        find: 'return { kind: "again", reason: answer.reason, afterMs: undefined, doubt: true };\n}\n\n/** The outcome',
        replace:
          'return { kind: "settled", outcome: { kind: "refused", reason: answer.reason } };\n}\n\n/** The outcome',
      },
    ],
  },
  {
    name: "result-twice",
    bug: "A call's row is not deleted with the handling of its result",
    edits: [
      {
        file: `${lane}/work.ts`,
        find: "if (input.effect !== undefined) this.effectsDone.push(input.effect);",
        replace: "",
      },
    ],
  },
];
