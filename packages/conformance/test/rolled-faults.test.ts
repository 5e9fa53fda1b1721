import { faultyStore, faultyTransport, rolledStorePlan, rolledTransportPlan } from "@waybill/conformance";
import { dice, memoryStore, memoryTransport, testWorld } from "@waybill/memory";
import { codeOf, type LaneRow, type Store, type Transport } from "@waybill/messaging";
import { expect, test } from "vitest";
import { batch, declare, id, member, position, state } from "../src/store-fixture.ts";
import { append, ids, messages, readOn, spec, start } from "../src/transport-fixture.ts";

const seeds = Array.from({ length: 100 }, (_, seed) => seed);

/** As a lane's sender: the same append until it is known to be stored, then the next. */
async function sendAll(transport: Transport, count: number, random: () => number): Promise<void> {
  for (let from = 1; from <= count;) {
    const until = Math.min(from + Math.floor(random() * 10), count);
    while (!(await append(transport, "orders", 0, messages(from, until))).ok);
    from = until + 1;
  }
}

test("a sender that repeats and a reader with a mark make of any faults one chain", async () => {
  for (const seed of seeds) {
    const random = dice(seed);
    const logs = memoryTransport({ world: testWorld({ seed }), hole: () => Math.floor(random() * 3) });
    await logs.declare(spec("orders"));
    const plan = rolledTransportPlan(random, { fail: 0.2, loseAnswer: 0.2, part: 0.2, fetch: 0.3 });
    const transport = faultyTransport(logs, plan);
    await sendAll(transport, 60, random);
    const found = await readOn(transport, [start("orders")], { messages: 7, bytes: 1e6, waitMs: 0 });
    let mark = 0;
    const taken = found.messages.filter(({ stamp }) => {
      expect(stamp!.prev, `seed ${seed}: a gap behind ${mark}`).toBeLessThanOrEqual(mark);
      const isNext = stamp!.n > mark;
      mark = Math.max(mark, stamp!.n);
      return isNext;
    });
    expect(ids(taken), `seed ${seed}`).toEqual(ids(messages(1, 60)));
  }
});

/** As a lane: after any failure it forgets what it knows and reads its row and its state again. */
async function countTo(store: Store, last: number): Promise<void> {
  for (;;) {
    try {
      const [found] = await store.load("orders", [{ kind: "order", id: "count" }]);
      const version = found?.version ?? 0;
      if (version === last) return;
      const row = await store.lane(id(0));
      await countOn(store, row, version + 1);
    } catch (error) {
      if (!["COMMIT_UNKNOWN", "STORE_UNAVAILABLE"].includes(codeOf(error) ?? "")) throw error;
    }
  }
}

async function countOn(store: Store, row: LaneRow, version: number): Promise<void> {
  const positions = [position("orders", 0, version)];
  await store.commit(batch(row, { positions, states: [state("count", version)] })).durable;
}

test("a lane that reads its row again counts each input once, whatever becomes of its commits", async () => {
  for (const seed of seeds) {
    const database = memoryStore({ world: testWorld({ seed }) });
    await declare(database);
    await database.join(member("a"), 60_000);
    await database.claim(id(0), member("a").id, 1, 0);
    const odds = { unknownDone: 0.2, unknownNotDone: 0.2, unavailable: 0.2, call: 0.1 };
    await countTo(faultyStore(database, rolledStorePlan(dice(seed), odds)), 30);
    const { positions } = await database.recover(id(0));
    expect([positions[0]!.nextOffset, (await database.lane(id(0))).batch], `seed ${seed}`).toEqual([30, 30]);
  }
});

test("odds are kept, and what is not named never happens", () => {
  const plan = rolledTransportPlan(dice(1), { fail: 0.25, part: 0.5 });
  const one = { topic: "orders", partition: 0, messages: messages(1, 4) };
  const kinds = Array.from({ length: 4000 }, () => plan.append!(one)?.kind ?? "none");
  const share = (kind: string) => kinds.filter((each) => each === kind).length / kinds.length;
  expect(share("fail")).toBeCloseTo(0.25, 1);
  expect(share("part")).toBeCloseTo(0.5, 1);
  expect([share("lose-answer"), plan.fetch!()]).toEqual([0, undefined]);
});

test("only the calls named may fail", async () => {
  const plan = rolledStorePlan(dice(1), { call: 1, calls: new Set(["load"] as const) });
  const store = faultyStore(memoryStore({ world: testWorld() }), plan);
  await declare(store);
  await expect(store.load("orders", [])).rejects.toThrow("made to fail");
});
