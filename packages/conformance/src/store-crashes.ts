import { expect, test } from "vitest";
import {
  batch,
  commit,
  dump,
  everywhere,
  id,
  member,
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
    expect((await store.claim(id(0), member("b").id, 1, row.epoch))?.epoch).toBe(row.epoch + 1);
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
    const before = await dump(it.store, 0, [7]);
    const { applied, durable } = it.store.commit(everywhere(row, 7));
    const ends = Promise.allSettled([applied, durable]);
    const store = await it.crash();
    const after = await dump(store, 0, [7]);
    if ((await store.lane(id(0))).batch === row.batch) expect(after).toEqual(before);
    else {
      expect(after).toMatchObject({
        lane: { batch: row.batch + 1 },
        positions: [{ topic: "topic-7" }],
        states: [{ id: "order-7" }],
        outbox: [{ topic: "topic-7" }],
        timers: [{ key: "order-7" }],
        effects: [{ key: "order-7" }],
        parkedKeys: [{ key: "order-7" }],
      });
    }
    await ends;
  });

  test("position and state never part, however many batches are under way at a crash", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const ends: Promise<unknown>[] = [];
    for (let version = 1; version <= 10; version++) {
      const change = {
        batch: row.batch + version - 1,
        states: [state("1", version)],
        positions: [position("orders", 0, version)],
      };
      const { applied, durable } = it.store.commit(batch(row, change));
      ends.push(Promise.allSettled([durable]));
      await applied;
    }
    const store = await it.crash();
    const version = (await store.load("orders", [{ kind: "order", id: "1" }]))[0]?.version ?? 0;
    const offset = (await store.recover(id(0))).positions[0]?.nextOffset ?? 0;
    expect(offset).toBe(version);
    expect((await store.lane(id(0))).batch).toBe(row.batch + version);
    await Promise.all(ends);
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
