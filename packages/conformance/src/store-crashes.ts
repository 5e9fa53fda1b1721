import type { Store } from "@waybill/messaging";
import { expect, test } from "vitest";
import {
  batch,
  commit,
  dump,
  everywhere,
  farMs,
  id,
  limit,
  member,
  none,
  owned,
  position,
  state,
  type OpenStore,
} from "./store-fixture.ts";

export function crashCases(open: OpenStore): void {
  test("what is durable survives a crash, in every table", async () => {
    await using it = await open();
    const row = await owned(it.store);
    await commit(it.store, row, everywhere(row, 7));
    const before = await dump(it.store, 0, [7]);
    expect(await dump(await it.crash(), 0, [7])).toEqual(before);
  });

  test("a claim survives a crash: no epoch is given twice", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const store = await it.crash();
    expect((await store.lane(id(0))).epoch).toBe(row.epoch);
    await store.join(member("b"), 60_000);
    await store.leave(member("a").id);
    expect((await store.claim(id(0), member("b").id, 1, row.epoch))?.epoch).toBeGreaterThan(row.epoch);
  });

  test("a mark survives a crash: who died at an input is known", async () => {
    await using it = await open();
    const row = await owned(it.store);
    await it.store.mark(id(0), row.epoch, { suspect: "m-7" });
    expect((await (await it.crash()).lane(id(0))).suspect).toBe("m-7");
  });

  test("a batch under way at a crash is there whole or not at all", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const { applied, durable } = it.store.commit(everywhere(row, 7));
    void Promise.allSettled([applied, durable]);
    const store = await it.crash();
    const kept = (await store.lane(id(0))).batch - row.batch;
    expect(kept).toBeOneOf([0, 1]);
    const rows = Object.values(await rowsOf(store, 7));
    expect(new Set(rows.map((list) => list.length))).toEqual(new Set([kept]));
  });

  test("position and state never part, however many batches are under way at a crash", async () => {
    await using it = await open();
    const row = await owned(it.store);
    let reported = 0;
    for (let version = 1; version <= 10; version++) {
      const states = [state("1", version)];
      const positions = [position("orders", 0, version)];
      const { applied, durable } = it.store.commit(batch(row, { batch: row.batch + version - 1, states, positions }));
      durable.then(
        () => reported++,
        () => undefined,
      );
      await applied;
    }
    const store = await it.crash();
    const version = (await store.load("orders", [{ kind: "order", id: "1" }]))[0]?.version ?? 0;
    const offset = (await store.recover(id(0))).positions[0]?.nextOffset ?? 0;
    expect(offset).toBe(version);
    expect((await store.lane(id(0))).batch).toBe(row.batch + version);
    expect(version).toBeGreaterThanOrEqual(reported);
  });

  test("after a crash the lane's owner goes on with the next batch", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), { states: [state("1", 1)], count: 5 });
    const store = await it.crash();
    const again = (await store.claim(id(0), member("a").id, 1, row.epoch))!;
    expect(again).toMatchObject({ batch: row.batch, nextN: row.nextN, source: row.source });
    await commit(store, again, { states: [state("1", 2)] });
    expect((await store.load("orders", [{ kind: "order", id: "1" }]))[0]!.version).toBe(2);
  });
}

/** What each table holds of the batch `everywhere` with this number. */
async function rowsOf(store: Store, number: number): Promise<Record<string, readonly unknown[]>> {
  const place = { topic: `topic-${number}`, partition: 0 };
  const { positions, parkedKeys, sent, outbox } = await store.recover(id(0));
  return {
    positions,
    parkedKeys,
    sent,
    outbox,
    messages: await store.outbox(id(0), place, 0, limit),
    states: await store.load("orders", [{ kind: "order", id: `order-${number}` }]),
    timers: await store.timers(id(0), farMs, limit),
    effects: await store.effectHeads(id(0), farMs, limit, none),
    parked: await store.parked("orders", 0, `order-${number}`, 0, limit),
    seen: await store.seen("orders", [{ source: "shop", id: `order-${number}` }]),
  };
}
