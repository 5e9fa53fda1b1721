import type { Mutant } from "./mutant.ts";

const lane = "packages/messaging/src/lane";

/** Bugs of commits, of what is set aside, and of builds side by side. */
export const commitMutants: readonly Mutant[] = [
  {
    name: "commit-before-handler",
    bug: "A batch's positions are committed before its handlers run",
    edits: [
      {
        file: `${lane}/lane.ts`,
        find: "    const work = new Work(this.id.service, this.#sequence, nowMs, this.#passed);\n",
        replace: `    if (gathered.messages.length > 0) {
      const early = new Work(this.id.service, this.#sequence, nowMs);
      for (const { topic, partition, offset, id } of gathered.messages) {
        const track = this.#tracks.get(topic, partition);
        early.moved({ row: () => ({ ...track.row(), nextOffset: offset + 1, lastOffset: offset, lastId: id }) } as unknown as Track);
      }
      await this.#commitAlone(early);
    }
    const work = new Work(this.id.service, this.#sequence, nowMs, this.#passed);
`,
      },
    ],
  },
  {
    name: "position-apart",
    bug: "Positions are saved apart from state, a batch later",
    edits: [
      {
        file: "packages/memory/src/commit.ts",
        find: "  for (const row of batch.positions) tables.positions.set(keyOf(row.topic, row.partition), row);\n",
        replace: `  const late = ((globalThis as any).late ??= new WeakMap());
  for (const row of late.get(lane.source as any) ?? []) void row;
  const owed = ((tables as any).owed ??= new Map());
  for (const row of owed.get(batch.lane) ?? []) tables.positions.set(keyOf(row.topic, row.partition), row);
  owed.set(batch.lane, batch.positions);
`,
      },
    ],
  },
  {
    name: "unknown-commit-taken-for-done",
    bug: "After a commit whose outcome is unknown the lane goes on as if it had been made",
    edits: [
      {
        file: `${lane}/lane.ts`,
        find: "      (error: unknown) => {\n        this.#undurable -= 1;\n",
        replace:
          '      (error: unknown) => {\n        if (codeOf(error) === "COMMIT_UNKNOWN") return this.#onDurable(work, sent, retried);\n        this.#undurable -= 1;\n',
      },
      {
        file: `${lane}/lane.ts`,
        find: "    await commit.applied.catch((error: unknown) => {\n",
        replace:
          '    await commit.applied.catch((error: unknown) => {\n      if (codeOf(error) === "COMMIT_UNKNOWN") return;\n',
      },
    ],
  },
  {
    name: "commit-repeated",
    bug: "After a commit whose outcome is unknown the same batch is committed again",
    edits: [
      {
        file: "packages/simulator/src/linked-store.ts",
        find: '      const kept = network.call(process, "commit", () => keep(batch), fateOfCommit());\n',
        replace: `      const once = network.call(process, "commit", () => keep(batch), fateOfCommit());
      const kept = once.catch(async (error: unknown) => {
        if (!(error instanceof WaybillError) || error.code !== "COMMIT_UNKNOWN") throw error;
        const row = await store.lane(batch);
        const rows = await store.load(batch.service, batch.states);
        const versions = new Map(rows.map((one) => [one.kind + " " + one.id, one.version]));
        const states = batch.states.map((one) => ({ ...one, version: (versions.get(one.kind + " " + one.id) ?? 0) + 1 }));
        await keep({ ...batch, states, batch: row.batch });
        if (row.batch !== batch.batch) throw error;
      });
`,
      },
    ],
  },
  {
    name: "parked-key-passed",
    bug: "What comes for an entity that is set aside is handled at once",
    edits: [
      {
        file: `${lane}/run.ts`,
        find: "    if (bench.parking.get(key) !== undefined) return queueBehind(bench, input, key, work);\n",
        replace: "    void key;\n",
      },
    ],
  },
  {
    name: "parked-key-passed-by-timer",
    bug: "A timer passes what is set aside of its entity",
    edits: [
      {
        file: `${lane}/intake.ts`,
        find: "const free = rows.filter(({ key }) => this.#parking.get(key) === undefined);",
        replace: "const free = rows;",
      },
      {
        file: `${lane}/run.ts`,
        find: "  if (input.timer !== undefined && bench.parking.get(input.subject) !== undefined) return undefined;\n",
        replace: "",
      },
      {
        file: `${lane}/run.ts`,
        find: "if (input.parked === undefined && bench.parking.size > 0) {",
        replace: 'if (input.parked === undefined && input.kind !== "timer" && bench.parking.size > 0) {',
      },
    ],
    tests: ["packages/messaging/test/parking.test.ts"],
  },
  {
    name: "set-aside-lost",
    bug: "What is set aside for a moment is forgotten",
    edits: [
      {
        file: `${lane}/run.ts`,
        find: "    parking.add(parked.key);\n    work.parkedAdded.push(parkedRow(input, parked.partition, parked.key, work.takeNumber()));\n  } else {",
        replace: "    parking.add(parked.key);\n  } else {",
      },
    ],
  },
  {
    name: "older-build-reads-newer",
    bug: "An older build reads what a newer one wrote as if it were its own",
    edits: [
      {
        file: "packages/messaging/src/contract.ts",
        find: "  if (from > type.version) {",
        replace: "  if (from > type.version + 1) {",
      },
      { file: "packages/memory/src/lanes.ts", find: " || row.level > level || ", replace: " || " },
      {
        file: "packages/messaging/src/worker.ts",
        find: " || row.level > hosted.level) continue;",
        replace: ") continue;",
      },
    ],
  },
  {
    name: "throw-after-change",
    bug: "What a rule saves is changed in place, also when it throws afterwards",
    edits: [
      {
        file: `${lane}/draft.ts`,
        find: "    if (this.#saves === none) this.#saves = [];\n",
        replace: "    if (this.#saves === none) this.#saves = [];\n    entry.value = value;\n",
      },
    ],
    tests: ["packages/messaging/test/parking.test.ts"],
  },
  {
    name: "fence-left-out",
    bug: "A commit does not compare epoch and batch",
    edits: [{ file: "packages/memory/src/commit.ts", find: "  fence(lane, batch);\n", replace: "  void fence;\n" }],
  },
  {
    name: "half-a-commit",
    bug: "A batch's messages are stored, and its states are not, when the commit's answer is lost",
    edits: [
      {
        file: "packages/simulator/src/linked-store.ts",
        find: "    await store.commit(batch).durable;\n",
        replace:
          "    await store.commit(chance.chance(0.02) ? { ...batch, timers: { set: [], cleared: [] }, effects: { ...batch.effects, added: [] } } : batch).durable;\n",
      },
    ],
  },
  {
    name: "fsync-left-out",
    bug: "A commit is called durable before the disk has it",
    edits: [
      {
        file: "stores/sqlite/src/writer.ts",
        find: 'db.exec("pragma synchronous = full");',
        replace: 'db.exec("pragma synchronous = off");',
      },
      { file: "stores/sqlite/src/writer.ts", find: "if (synchronous < 2 ||", replace: "if (synchronous < 0 ||" },
    ],
    tests: ["stores/sqlite/test/power-cut.brokers.test.ts"],
  },
  {
    name: "silence-is-loss",
    bug: "A partition in which nothing is written counts as deleted unread once the others have gone on",
    edits: [
      {
        file: "transports/embedded/src/bounds.ts",
        find: "firstOffset: topic.firstOffset,",
        replace: "firstOffset: end <= topic.firstOffset ? silentAt(log.end(topic, durable)) : topic.firstOffset,",
      },
    ],
    tests: ["transports/embedded/test/conformance.test.ts"],
  },
];
