import type { Batch, EffectRow } from "@waybill/messaging";
import { expect, test } from "vitest";
import { commit, effect, farMs, id, limit, none, owned, type OpenStore } from "./store-fixture.ts";

export function effectCases(open: OpenStore): void {
  test("of each key and queue the first effect is the head, whatever the order they came in", async () => {
    await using it = await open();
    const rows = [effect("a", 3), effect("a", 1), effect("a", 2), effect("b", 5), effect("b", 4)];
    await commit(it.store, await owned(it.store), added(...rows));
    expect(names(await it.store.effectHeads(id(0), farMs, limit, none)).toSorted()).toEqual([
      "effect-a-1",
      "effect-b-4",
    ]);
  });

  test("an effect comes back whole", async () => {
    await using it = await open();
    const whole = effect("größe 😀", 2 ** 40, {
      partition: 2,
      queue: "mail/ü",
      id: "e-1",
      schema: 4,
      input: JSON.stringify({ text: "a\u0000\ud800" }),
      attempts: 3,
      firstMs: 1_800_000_000_001,
      dueMs: 1_800_000_000_002,
      error: "The gateway did not answer.",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    });
    const bare = effect("bare", 1, { dueMs: 1_800_000_000_003 });
    await commit(it.store, await owned(it.store), added(whole, bare));
    expect(await it.store.effectHeads(id(0), farMs, limit, none)).toEqual([whole, bare]);
  });

  test("queues, keys and partitions do not wait for each other", async () => {
    await using it = await open();
    const rows = [
      effect("a", 1, { dueMs: 1 }),
      effect("a", 2, { queue: "mail", dueMs: 2 }),
      effect("a", 3, { partition: 2, dueMs: 3 }),
    ];
    await commit(it.store, await owned(it.store), added(...rows));
    expect(await it.store.effectHeads(id(0), farMs, limit, none)).toEqual(rows);
  });

  test("heads come earliest first, those due at or before the time, and no more than were asked for", async () => {
    await using it = await open();
    const rows = [300, 100, 400, 200].map((dueMs, at) => effect(`k${dueMs}`, at + 1, { dueMs }));
    await commit(it.store, await owned(it.store), added(...rows));
    expect(keys(await it.store.effectHeads(id(0), 300, limit, none))).toEqual(["k100", "k200", "k300"]);
    expect(keys(await it.store.effectHeads(id(0), 299, limit, none))).toEqual(["k100", "k200"]);
    expect(keys(await it.store.effectHeads(id(0), farMs, 3, none))).toEqual(["k100", "k200", "k300"]);
  });

  test("a head that is not due holds back what is behind it", async () => {
    await using it = await open();
    await commit(
      it.store,
      await owned(it.store),
      added(effect("a", 1, { dueMs: 500 }), effect("a", 2, { dueMs: 100 })),
    );
    expect(await it.store.effectHeads(id(0), 499, limit, none)).toEqual([]);
    expect(names(await it.store.effectHeads(id(0), 500, limit, none))).toEqual(["effect-a-1"]);
  });

  test("a head whose id is excepted is left out, and what is behind it too", async () => {
    await using it = await open();
    const rows = [effect("a", 1), effect("a", 2), effect("b", 3)];
    await commit(it.store, await owned(it.store), added(...rows));
    expect(names(await it.store.effectHeads(id(0), farMs, limit, new Set(["effect-a-1"])))).toEqual(["effect-b-3"]);
  });

  test("excepted heads do not use up the limit", async () => {
    await using it = await open();
    const rows = Array.from({ length: 20 }, (_, at) => effect(`k${at}`, at + 1, { dueMs: at }));
    await commit(it.store, await owned(it.store), added(...rows));
    const running = new Set(rows.slice(0, 10).map((row) => row.id));
    expect(await it.store.effectHeads(id(0), farMs, 5, running)).toEqual(rows.slice(10, 15));
  });

  test("when an effect is done the next of its queue is the head", async () => {
    await using it = await open();
    const rows = [effect("a", 1), effect("a", 4), effect("a", 9)];
    const row = await commit(it.store, await owned(it.store), added(...rows));
    expect(await it.store.nextEffect("orders", rows[0]!)).toEqual(rows[1]);
    await commit(it.store, row, { effects: { added: [], done: [rows[0]!], retried: [] } });
    expect(await it.store.effectHeads(id(0), farMs, limit, none)).toEqual([rows[1]]);
    expect(await it.store.nextEffect("orders", rows[0]!)).toEqual(rows[1]);
    expect(await it.store.nextEffect("orders", rows[1]!)).toEqual(rows[2]);
    expect(await it.store.nextEffect("orders", rows[2]!)).toBeUndefined();
  });

  test("the next effect is of the same partition, key and queue", async () => {
    await using it = await open();
    const first = effect("a", 1);
    const others = [effect("a", 2, { queue: "mail" }), effect("b", 3), effect("a", 4, { partition: 2 })];
    await commit(it.store, await owned(it.store), added(first, ...others));
    expect(await it.store.nextEffect("orders", first)).toBeUndefined();
  });

  test("an effect that is tried again keeps its place, with what was learnt", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), added(effect("a", 1), effect("a", 2)));
    const again = effect("a", 1, { attempts: 2, firstMs: 10, dueMs: 9000, error: "timed out" });
    await commit(it.store, row, { effects: { added: [], done: [], retried: [again] } });
    expect(await it.store.effectHeads(id(0), 8999, limit, none)).toEqual([]);
    expect(await it.store.effectHeads(id(0), 9000, limit, none)).toEqual([again]);
    expect(await it.store.nextEffect("orders", again)).toEqual(effect("a", 2));
  });

  test("an effect that is done is gone, and ending it twice is nothing", async () => {
    await using it = await open();
    let row = await commit(it.store, await owned(it.store), added(effect("a", 1), effect("b", 2)));
    for (let time = 1; time <= 2; time++) {
      row = await commit(it.store, row, { effects: { added: [], done: [effect("a", 1)], retried: [] } });
      expect(names(await it.store.effectHeads(id(0), farMs, limit, none))).toEqual(["effect-b-2"]);
    }
  });

  test("the time of the next effect is that of the earliest head that is still to come", async () => {
    await using it = await open();
    const row = await owned(it.store);
    expect(await it.store.nextEffectDue(id(0))).toBeUndefined();
    const nowMs = it.store.nowMs();
    const rows = [
      effect("past", 1, { dueMs: nowMs - 1000 }),
      effect("later", 2, { dueMs: nowMs + 900_000 }),
      effect("soon", 3, { dueMs: nowMs + 600_000 }),
      effect("later", 4, { dueMs: nowMs + 1000 }),
    ];
    await commit(it.store, row, added(...rows));
    expect(await it.store.nextEffectDue(id(0))).toBe(nowMs + 600_000);
  });

  test("a lane and a service see their own effects only", async () => {
    await using it = await open();
    await owned(it.store, 0, "billing");
    const far = it.store.nowMs() + 1_000_000;
    await commit(it.store, await owned(it.store, 0), added(effect("a", 1, { partition: 2, dueMs: far + 5 })));
    await commit(it.store, await owned(it.store, 1), added(effect("b", 1, { partition: 3, dueMs: far })));
    expect(keys(await it.store.effectHeads(id(0), farMs, limit, none))).toEqual(["a"]);
    expect(keys(await it.store.effectHeads(id(1), farMs, limit, none))).toEqual(["b"]);
    expect(await it.store.effectHeads(id(0, "billing"), farMs, limit, none)).toEqual([]);
    expect([await it.store.nextEffectDue(id(0)), await it.store.nextEffectDue(id(1))]).toEqual([far + 5, far]);
    expect(await it.store.nextEffect("billing", effect("a", 0, { partition: 2 }))).toBeUndefined();
  });
}

function added(...rows: EffectRow[]): Pick<Batch, "effects"> {
  return { effects: { added: rows, done: [], retried: [] } };
}

function names(rows: readonly EffectRow[]): string[] {
  return rows.map((row) => row.id);
}

function keys(rows: readonly EffectRow[]): string[] {
  return rows.map((row) => row.key);
}
