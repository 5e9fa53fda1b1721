import type { Mutant } from "./mutant.ts";

const lane = "packages/messaging/src/lane";

/** Bugs of the way that messages take from one service to another. */
export const chainMutants: readonly Mutant[] = [
  {
    name: "shared-counter",
    bug: "Numbers come from one counter for all, drawn outside of the commit",
    edits: [
      {
        file: `${lane}/work.ts`,
        find: "return this.#sequence.nextN++;",
        replace: "return ((globalThis as any).counter = ((globalThis as any).counter ?? 0) + 1);",
      },
    ],
  },
  {
    name: "source-is-name",
    bug: "A message's source is its service's name, not one life of one lane",
    edits: [
      {
        file: `${lane}/work.ts`,
        find: "    return { source, n, prev };",
        replace: '    return { source: source === "" ? source : this.#service, n, prev };',
      },
    ],
  },
  {
    name: "mark-without-source",
    bug: "A reader keeps one mark for a topic's partition, whoever wrote",
    edits: [
      {
        file: `${lane}/admit.ts`,
        find: "const mark = track.marks.get(stamp.source);",
        replace: 'const mark = track.marks.get("");',
      },
      {
        file: `${lane}/admit.ts`,
        find: "track.marks.set(stamp.source, markAfter(mark, stamp));",
        replace: 'track.marks.set("", markAfter(mark, stamp));',
      },
    ],
  },
  {
    name: "mark-without-partition",
    bug: "A reader keeps one mark for a source, whatever the partition",
    edits: [
      {
        file: `${lane}/tracks.ts`,
        find: "      ofTopic[position.partition] = new Track(position);\n",
        replace: `      const track = new Track(position);
      const first = ofTopic.find(Boolean);
      if (first !== undefined) {
        for (const [source, n] of track.marks) first.marks.set(source, Math.max(Math.abs(n), Math.abs(first.marks.get(source) ?? 0)));
        (track as any).marks = first.marks;
      }
      ofTopic[position.partition] = track;
`,
      },
    ],
  },
  {
    name: "two-appends",
    bug: "Two appends to one destination are under way at once",
    edits: [
      {
        file: `${lane}/sender.ts`,
        find: "      destination.busy = true;\n",
        replace:
          "      destination.busy = destination.queue.length === 0;\n      if (!destination.busy && (destination as any).flights >= 2) continue;\n      (destination as any).flights = ((destination as any).flights ?? 0) + 1;\n",
      },
      { file: `${lane}/sender.ts`, find: "? queue.slice(0, this.#limits.append)", replace: "? queue.splice(0, 1)" },
      {
        file: `${lane}/sender.ts`,
        find: "    destination.sentN = last.stamp.n;\n",
        replace:
          "    destination.sentN = Math.max(destination.sentN, last.stamp.n);\n    (destination as any).flights -= 1;\n",
      },
      {
        file: `${lane}/sender.ts`,
        find: "if (!result.ok) return this.#retry(destination, result.error);",
        replace:
          "if (!result.ok) {\n      destination.queue.unshift(...(append.messages as OutgoingMessage[]));\n      (destination as any).flights -= 1;\n      return this.#retry(destination, result.error);\n    }",
      },
    ],
  },
  {
    name: "refused-append-confirmed",
    bug: "An append that failed counts as made",
    edits: [
      {
        file: `${lane}/sender.ts`,
        find: "if (!result.ok) return this.#retry(destination, result.error);",
        replace:
          'if (!result.ok) result = { ok: true, logId: destination.last?.logId ?? "", firstOffset: (destination.last?.offset ?? 0) + 1, lastOffset: (destination.last?.offset ?? 0) + 1 };',
      },
    ],
  },
  {
    name: "outbox-forgotten",
    bug: "A new owner does not send what the one before had committed and not sent",
    edits: [
      {
        file: `${lane}/lane.ts`,
        find: "this.#sender.resume(recovered.outbox, sent);",
        replace: "this.#sender.resume([], sent);",
      },
    ],
  },
  {
    name: "chain-broken-at-claim",
    bug: "A new owner does not know which message its predecessor sent last",
    edits: [
      {
        file: `${lane}/lane.ts`,
        find: "if (!hasNewSource) for (const [name, n] of lastStored(recovered)) this.#sequence.lastN.set(name, n);",
        replace: "void hasNewSource;",
      },
    ],
  },
  {
    name: "gap-ignored",
    bug: "A message behind a gap is taken as if nothing were missing",
    edits: [{ file: `${lane}/chain.ts`, find: 'stamp.prev <= last || mark < 0 ? "next" : "gap"', replace: '"next"' }],
  },
  {
    name: "looks-once",
    bug: "What a log lost behind the look before an append is not looked for behind the append",
    edits: [
      {
        file: `${lane}/sender.ts`,
        find: "if (result.ok && (await this.#compare(transport, destination))) this.#release(destination);\n        else ",
        replace: "",
      },
    ],
    tests: ["packages/messaging/test/sending.test.ts"],
  },
  {
    name: "place-taken",
    bug: "That a log is as long as it was counts as nothing lost",
    edits: [
      {
        file: `${lane}/sender.ts`,
        find: "  return found?.stamp?.n === last.n;",
        replace: "  void found;\n  return true;",
      },
    ],
    tests: ["packages/messaging/test/sending.test.ts"],
  },
  {
    name: "resume-by-offset",
    bug: "A reader resumes by its offset alone, whatever log it is in",
    edits: [
      {
        file: `${lane}/resume.ts`,
        find: '  if (position.logId !== bounds.logId) return { kind: "rewind", why: "the log is another one" };\n',
        replace: "",
      },
      {
        file: `${lane}/resume.ts`,
        find: '  if (position.nextOffset > bounds.nextOffset) return { kind: "rewind", why: "the log ends before the position" };\n',
        replace: "",
      },
      {
        file: `${lane}/resume.ts`,
        find: "if (kept && found !== position.lastId)",
        replace: "if (kept && found === null)",
      },
      {
        file: "packages/simulator/src/log-reader.ts",
        find: "    if (this.#comparedAt !== this.#logs.damage) this.#compare();\n",
        replace: "    if (this.#comparedAt > this.#logs.damage) this.#compare();\n",
      },
    ],
  },
  {
    name: "replay-without-marks",
    bug: "A log that is read again is read without the marks",
    edits: [
      {
        file: `${lane}/resume.ts`,
        find: "return { topic, partition, logId: bounds.logId, nextOffset: bounds.firstOffset, marks };",
        replace:
          "return { topic, partition, logId: bounds.logId, nextOffset: bounds.firstOffset, marks: marks && {} };",
      },
    ],
  },
  {
    name: "rewind-unnoticed",
    bug: "A database that was put back goes on under its old source",
    edits: [{ file: `${lane}/resume.ts`, find: "rewound: said.size > 0,", replace: "rewound: false," }],
  },
  {
    name: "said-again",
    bug: "A database that was put back says again what it has said",
    edits: [
      {
        file: `${lane}/work.ts`,
        find: "if (alreadySaid.size > 0 && alreadySaid.delete(saidAs(message))) return;",
        replace: "void alreadySaid;",
      },
    ],
  },
  {
    name: "door-takes-any-partition",
    bug: "A door handles what lies in the wrong partition for its key",
    edits: [
      {
        file: `${lane}/admit.ts`,
        find: "if (!isMisplaced(bench, topic, message)) return true;",
        replace: "if (message.stamp === undefined || !isMisplaced(bench, topic, message)) return true;",
      },
    ],
    tests: ["packages/messaging/test/doors.test.ts"],
  },
];
