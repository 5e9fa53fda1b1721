import { expect, test } from "vitest";
import {
  batch,
  commit,
  declare,
  deletion,
  dump,
  effect,
  everywhere,
  id,
  outgoing,
  owned,
  position,
  refusal,
  state,
  timer,
  type OpenStore,
} from "./store-fixture.ts";
import { failure } from "./transport-fixture.ts";

export function commitCases(open: OpenStore): void {
  test("a batch is kept in every table", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const kept = everywhere(row, 7);
    await commit(it.store, row, kept);
    const { lane: _, each: __, ...found } = (await dump(it.peer, 0, [7])) as Record<string, unknown>;
    expect(found).toEqual({
      positions: kept.positions,
      parkedKeys: kept.parked.keys,
      sent: kept.sent,
      outbox: [{ topic: "topic-7", partition: 0, firstN: 7, lastN: 7 }],
      nextTimerMs: 5000,
      states: kept.states,
      timers: kept.timers.set,
      effects: kept.effects.added,
      seen: [{ source: "shop", id: "order-7" }],
    });
  });

  test("a commit raises the lane's batch, numbers and time, and nothing else of its row", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const after = await commit(it.store, row, { count: 12, timeMs: 1_800_000_000_123, level: 1 });
    expect(after).toEqual({
      ...row,
      batch: row.batch + 1,
      nextN: row.nextN + 12,
      timeMs: 1_800_000_000_123,
      tries: 0,
      level: 1,
    });
  });

  test("a lane remembers the highest level that wrote to it", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), { level: 4 });
    expect((await commit(it.store, row, { level: 3 })).level).toBe(4);
  });

  test("an empty batch is a batch", async () => {
    await using it = await open();
    const row = await owned(it.store);
    expect((await commit(it.store, row, { inputs: 0 })).batch).toBe(row.batch + 1);
  });

  test("a batch is never durable before it is applied", async () => {
    await using it = await open();
    let row = await owned(it.store);
    for (let number = 1; number <= 5; number++) {
      const moments: string[] = [];
      const { applied, durable } = it.store.commit(everywhere(row, number));
      await Promise.all([applied.then(() => moments.push("applied")), durable.then(() => moments.push("durable"))]);
      expect(moments).toEqual(["applied", "durable"]);
      row = await it.store.lane(id(0));
    }
  });

  test("its owner reads what is applied, in every table, before it is durable", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const { applied, durable } = it.store.commit(everywhere(row, 7));
    await applied;
    const before = await dump(it.store, 0, [7]);
    await durable;
    expect(before).toEqual(await dump(it.store, 0, [7]));
    expect((await it.store.lane(id(0))).batch).toBe(row.batch + 1);
  });

  test("a lane goes on from applied: batches that change the same rows before any is durable", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const durables: Promise<void>[] = [];
    for (let version = 1; version <= 20; version++) {
      const change = {
        batch: row.batch + version - 1,
        states: [state("1", version)],
        positions: [position("orders", 0, version)],
      };
      const { applied, durable } = it.store.commit(batch(row, change));
      durables.push(durable);
      await applied;
    }
    await Promise.all(durables);
    expect((await it.store.load("orders", [{ kind: "order", id: "1" }]))[0]!.version).toBe(20);
    expect((await it.store.recover(id(0))).positions[0]!.nextOffset).toBe(20);
    expect((await it.store.lane(id(0))).batch).toBe(row.batch + 20);
  });

  test("a row made in one batch and ended in the next leaves nothing, before either is durable", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const made = it.store.commit(everywhere(row, 7));
    await made.applied;
    const ended = it.store.commit(
      batch(row, {
        batch: row.batch + 1,
        states: [deletion("order-7", 2)],
        timers: { set: [], cleared: [timer("order-7", 5000)] },
        effects: { added: [], done: [effect("order-7", 7)], retried: [] },
        parked: {
          added: [],
          removed: [{ partition: 0, key: "order-7", seq: 7 }],
          keys: [],
          released: [{ partition: 0, key: "order-7" }],
        },
      }),
    );
    await Promise.all([made.durable, ended.applied, ended.durable]);
    const found = await dump(it.store, 0, [7]);
    expect(found).toMatchObject({ states: [], timers: [], effects: [], parkedKeys: [], each: [{ parked: [] }] });
    expect(await it.store.nextTimer(id(0))).toBeUndefined();
  });

  test("a batch of a thousand inputs is kept whole", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const numbers = Array.from({ length: 1000 }, (_, at) => at + 1);
    await commit(it.store, row, {
      count: 3000,
      inputs: 1000,
      states: numbers.map((n) => state(`order-${n}`, 1)),
      messages: numbers.map((n) => outgoing(n, n - 1)),
      timers: { set: numbers.map((n) => timer(`order-${n}`, n)), cleared: [] },
      effects: { added: numbers.map((n) => effect(`order-${n}`, n)), done: [], retried: [] },
    });
    const keys = numbers.map((n) => ({ kind: "order", id: `order-${n}` }));
    expect(await it.store.load("orders", keys)).toHaveLength(1000);
    expect(await it.store.outbox(id(0), { topic: "payments", partition: 0 }, 0, 2000)).toHaveLength(1000);
    expect(await it.store.timers(id(0), 1000, 2000)).toHaveLength(1000);
    expect(await it.store.effectHeads(id(0), 1000, 2000, new Set())).toHaveLength(1000);
  });

  test("two lanes commit at once without a trace of each other", async () => {
    await using it = await open();
    const first = await owned(it.store, 0);
    const second = await owned(it.store, 1);
    await Promise.all([commit(it.store, first, everywhere(first, 2)), commit(it.peer, second, everywhere(second, 3))]);
    const [zero, one] = await Promise.all([dump(it.store, 0, [2, 3]), dump(it.store, 1, [2, 3])]);
    expect(zero).toMatchObject({
      outbox: [{ topic: "topic-2" }],
      timers: [{ key: "order-2" }],
      effects: [{ key: "order-2" }],
    });
    expect(one).toMatchObject({
      outbox: [{ topic: "topic-3" }],
      timers: [{ key: "order-3" }],
      effects: [{ key: "order-3" }],
    });
  });

  test("a batch that is refused harms no batch committed beside it", async () => {
    await using it = await open();
    const first = await owned(it.store, 0);
    const second = await owned(it.store, 1);
    const bad = it.store.commit({ ...everywhere(first, 2), states: [state("order-2", 9)] });
    const good = it.store.commit(everywhere(second, 3));
    const [error] = await Promise.all([failure(bad.applied), failure(bad.durable), good.applied, good.durable]);
    expect(error.code).toBe("STATE_CONFLICT");
    expect(await dump(it.store, 1, [3])).toMatchObject({ states: [{ id: "order-3" }], timers: [{ key: "order-3" }] });
  });

  test("what a caller changes after the commit is not what is stored", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const marks: Record<string, number> = { a: 1 };
    const body = new Uint8Array([1, 2, 3]);
    const messages = [outgoing(1, 0, { body })];
    const { applied, durable } = it.store.commit(
      batch(row, { positions: [{ ...position("orders", 0, 5), marks }], messages }),
    );
    await Promise.all([applied, durable]);
    marks["a"] = 9;
    body.fill(9);
    expect((await it.store.recover(id(0))).positions[0]!.marks).toEqual({ a: 1 });
    const [found] = await it.store.outbox(id(0), messages[0]!, 0, 1);
    expect([...Buffer.from(found!.body as string)]).toEqual([1, 2, 3]);
  });

  test("what a reader changes in a row is not what is stored", async () => {
    await using it = await open();
    await commit(it.store, await owned(it.store), { positions: [position("orders", 0, 5)], states: [state("1", 1)] });
    const spoil = async (): Promise<void> => {
      const { positions } = await it.store.recover(id(0));
      (positions[0] as { nextOffset: number }).nextOffset = 99;
      (positions[0]!.marks as Record<string, number>)["source-9"] = 99;
    };
    // A store may also give frozen rows.
    await spoil().catch(() => undefined);
    expect((await it.store.recover(id(0))).positions).toEqual([position("orders", 0, 5)]);
  });

  test("a commit to a closed store is refused", async () => {
    await using it = await open();
    await declare(it.store);
    const row = await owned(it.store);
    await it.store[Symbol.asyncDispose]();
    expect(await refusal(it.store, batch(row))).toBe("CLOSED");
  });
}
