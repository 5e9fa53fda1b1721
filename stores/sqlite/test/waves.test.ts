import { expect, test } from "vitest";
import type { Batch } from "@waybill/messaging";
import { codeOfFailure, idsOf, lane, opened, outgoing, state, topic } from "./lane.ts";

test("what lanes commit in reaction to one another is one transaction", async () => {
  await using it = await opened();
  await topic(it.file, "payments");
  const [first, second, third] = [await lane(it.store, "a"), await lane(it.store, "b"), await lane(it.store, "c")];
  const { waves } = it.file.stats();
  const placed = first.commit({ messages: [outgoing("m-1", "payments")] });
  await placed.applied;
  const paid = second.commit({ states: [state("1")] });
  await paid.applied;
  const shipped = third.commit({ states: [state("2")] });
  await Promise.all([placed.durable, paid.durable, shipped.durable]);
  expect(it.file.stats().waves - waves).toBe(1);
});

test("a row that many batches of a wave change is written once", async () => {
  await using it = await opened();
  const one = await lane(it.store);
  const { rows } = it.file.stats();
  const commits = Array.from({ length: 50 }, (_, at) => one.commit({ states: [state("1", at + 1)] }));
  await Promise.all(commits.map(({ durable }) => durable));
  // The lane's row and the state's.
  expect(it.file.stats().rows - rows).toBe(2);
  expect(await it.store.load("orders", [{ kind: "order", id: "1" }])).toMatchObject([{ version: 50 }]);
});

test("an effect that is added and done in one wave is not written at all", async () => {
  await using it = await opened();
  const one = await lane(it.store);
  const { rows } = it.file.stats();
  const added = one.commit({ effects: { added: [effect], done: [], retried: [] } });
  const done = one.commit({ effects: { added: [], done: [effect], retried: [] } });
  await Promise.all([added.durable, done.durable]);
  expect(it.file.stats().rows - rows).toBe(1);
  expect(await it.store.effectHeads(one.id, 10, 10, new Set())).toEqual([]);
});

test("the head of a chain is found over what is durable, what was applied, and what is done", async () => {
  await using it = await opened();
  const one = await lane(it.store);
  const nth = (seq: number) => ({ ...effect, seq, id: `effect-${seq}` });
  const heads = async () => (await it.store.effectHeads(one.id, 10, 10, new Set())).map(({ seq }) => seq);
  const behind = async (seq: number) => (await it.store.nextEffect("orders", nth(seq)))?.seq;
  await one.commit({ effects: { added: [nth(1), nth(2)], done: [], retried: [] } }).durable;
  const { durable } = one.commit({ effects: { added: [nth(3), nth(4)], done: [nth(1)], retried: [] } });
  expect([await heads(), await behind(1), await behind(2), await behind(3)]).toEqual([[2], 2, 3, 4]);
  const later = one.commit({ effects: { added: [], done: [nth(2), nth(3)], retried: [{ ...nth(4), dueMs: 99 }] } });
  expect([await heads(), await behind(1), await it.store.nextEffectDue(one.id)]).toEqual([[], 4, undefined]);
  await Promise.all([durable, later.durable]);
  expect([await heads(), await behind(1), await behind(4)]).toEqual([[], 4, undefined]);
});

test("reads see what was applied before it is durable, over what is durable", async () => {
  await using it = await opened();
  const one = await lane(it.store);
  const timer = { partition: 0, key: "k", name: "unpaid", schema: 1, body: "{}", correlation: "c", causation: "c" };
  await one.commit({ timers: { set: [{ ...timer, dueMs: 5 }], cleared: [] } }).durable;
  const { durable } = one.commit({ timers: { set: [{ ...timer, dueMs: 9 }], cleared: [] } });
  expect(await it.store.nextTimer(one.id)).toBe(9);
  const cleared = one.commit({ timers: { set: [], cleared: [timer] } });
  expect(await it.store.nextTimer(one.id)).toBeUndefined();
  await Promise.all([durable, cleared.durable]);
  expect(await it.store.nextTimer(one.id)).toBeUndefined();
});

test("a batch waits to be applied while one wave is written and the next is full", async () => {
  await using it = await opened({ inputsPerWave: 4 });
  const one = await lane(it.store);
  const applied: number[] = [];
  const durable: number[] = [];
  const commits = Array.from({ length: 6 }, (_, at) => {
    const commit = one.commit({ inputs: 2, states: [state(String(at))] });
    void commit.applied.then(() => applied.push(at));
    void commit.durable.then(() => durable.push(at));
    return commit;
  });
  // Two fill a wave, which is sent with the third; the third and fourth fill the next one.
  await Promise.resolve();
  await Promise.resolve();
  expect(applied).toEqual([0, 1, 2, 3]);
  await Promise.all(commits.map((commit) => commit.durable));
  expect(applied).toEqual([0, 1, 2, 3, 4, 5]);
  expect(durable).toEqual([0, 1, 2, 3, 4, 5]);
});

const effect = {
  partition: 0,
  key: "k",
  queue: "gateway",
  seq: 1,
  id: "effect-1",
  name: "authorise",
  schema: 1,
  input: "{}",
  attempts: 0,
  dueMs: 1,
  correlation: "c",
  causation: "c",
};

/** What no STRICT column of integers takes. */
const refused: Partial<Batch> = { states: [{ ...state("refused"), schema: 1.5 }] };

test("of a wave that the file refuses, what came before the refused batch is kept and what came after is not", async () => {
  await using it = await opened();
  await topic(it.file, "payments");
  const [good, bad, later] = [await lane(it.store, "good"), await lane(it.store, "bad"), await lane(it.store, "later")];
  const commits = [
    good.commit({ states: [state("1")], messages: [outgoing("kept", "payments")] }),
    bad.commit({ ...refused, messages: [outgoing("refused", "payments")] }),
    later.commit({ states: [state("1")], messages: [outgoing("built on it", "payments")] }),
  ];
  await Promise.all(commits.map(({ applied }) => applied));
  expect(await Promise.all(commits.map(({ durable }) => codeOfFailure(durable)))).toEqual([
    "none",
    "BATCH_REFUSED",
    "COMMIT_UNKNOWN",
  ]);
  expect((await it.store.survey(["good", "bad", "later"])).lanes.map(({ service, batch }) => [service, batch])).toEqual(
    [
      ["bad", 0],
      ["good", 1],
      ["later", 0],
    ],
  );
  expect(await it.store.load("good", [state("1")])).toHaveLength(1);
  expect(await it.store.load("later", [state("1")])).toEqual([]);
  expect(idsOf(it.file, "payments")).toEqual(["kept"]);
});

test("after a refused wave each lane must read its row before it commits again", async () => {
  await using it = await opened();
  await topic(it.file, "payments");
  const [bad, other] = [await lane(it.store, "bad"), await lane(it.store, "other")];
  expect(await codeOfFailure(bad.commit({ ...refused, messages: [outgoing("phantom", "payments")] }).durable)).toBe(
    "BATCH_REFUSED",
  );
  // It may have read the message that was taken back.
  expect(await codeOfFailure(other.commit({ states: [state("1")] }).applied)).toBe("COMMIT_UNKNOWN");
  await other.again();
  await other.commit({ messages: [outgoing("next", "payments")] }).durable;
  expect(idsOf(it.file, "payments")).toEqual(["next"]);
});

test("an offset that was seen is not given again after its message was taken back", async () => {
  await using it = await opened();
  await topic(it.file, "payments");
  const bad = await lane(it.store, "bad");
  const { durable } = bad.commit({ ...refused, messages: [outgoing("phantom", "payments")] });
  const seen = it.file.log.topic("payments").nextOffset - 1;
  await codeOfFailure(durable);
  await bad.again();
  await bad.commit({ messages: [outgoing("next", "payments")] }).durable;
  const page = it.file.log.page(it.file.log.topic("payments"), 0)!;
  expect(page.messages.map((one) => one.id)).toEqual(["next"]);
  expect(page.first).toBeGreaterThan(seen);
});

test("a message that cannot be handed to the writer is refused, and the lanes go on", async () => {
  await using it = await opened();
  const one = await lane(it.store);
  const unclonable = { ...state("1"), body: (() => "") as unknown as string };
  expect(await codeOfFailure(one.commit({ states: [unclonable] }).durable)).toBe("BATCH_REFUSED");
  await one.again();
  await one.commit({ states: [state("1")] }).durable;
});

test("closing writes what was applied", async () => {
  await using it = await opened();
  const one = await lane(it.store);
  const { durable } = one.commit({ states: [state("1")] });
  await it.file.close();
  await expect(durable).resolves.toBeUndefined();
});
