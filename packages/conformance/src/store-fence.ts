import type { Batch, LaneRow } from "@waybill/messaging";
import { expect, test } from "vitest";
import { faultyStore } from "./faulty-store.ts";
import {
  batch,
  claimed,
  commit,
  deletion,
  dump,
  everywhere,
  id,
  member,
  owned,
  refusal,
  state,
  type OpenStore,
} from "./store-fixture.ts";
import { failure } from "./transport-fixture.ts";

export function fenceCases(open: OpenStore): void {
  test("a commit by a former owner writes nothing anywhere", async () => {
    await using it = await open();
    const former = await owned(it.store);
    await it.peer.join(member("b"), 60_000);
    await it.store.leave(member("a").id);
    await claimed(it.peer, 0, "b");
    const before = await dump(it.peer, 0, [1]);
    expect(await refusal(it.store, everywhere(former, 1))).toBe("NOT_OWNER");
    expect(await dump(it.peer, 0, [1])).toEqual(before);
  });

  test("a commit by an owner whose time ran out while it was paused writes nothing anywhere", async () => {
    await using it = await open();
    const first = await owned(it.store);
    await it.store.renew(member("a").id, 100);
    await it.peer.join(member("b"), 60_000);
    await it.pass(150);
    const row = await commit(it.peer, await claimed(it.peer, 0, "b"), { count: 2 });
    const before = await dump(it.peer, 0, [1, 2]);
    expect(await refusal(it.store, everywhere(first, 1))).toBe("NOT_OWNER");
    expect(await dump(it.peer, 0, [1, 2])).toEqual(before);
    await commit(it.peer, row, everywhere(row, 2));
  });

  test("a batch that is committed again writes nothing anywhere", async () => {
    await using it = await open();
    const row = await owned(it.store);
    await commit(it.store, row, everywhere(row, 1));
    const before = await dump(it.store, 0, [1]);
    expect(await refusal(it.store, everywhere(row, 1))).toBe("NOT_OWNER");
    expect(await dump(it.store, 0, [1])).toEqual(before);
  });

  test("another batch with a number that is taken writes nothing anywhere", async () => {
    await using it = await open();
    const row = await owned(it.store);
    await commit(it.store, row, everywhere(row, 1));
    const before = await dump(it.store, 0, [1, 2]);
    expect(await refusal(it.store, everywhere(row, 2))).toBe("NOT_OWNER");
    expect(await dump(it.store, 0, [1, 2])).toEqual(before);
  });

  test("a batch with a number or an epoch that is yet to come writes nothing anywhere", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const before = await dump(it.store, 0, [1]);
    expect(await refusal(it.store, { ...everywhere(row, 1), batch: row.batch + 1 })).toBe("NOT_OWNER");
    expect(await refusal(it.store, { ...everywhere(row, 1), epoch: row.epoch + 1 })).toBe("NOT_OWNER");
    expect(await dump(it.store, 0, [1])).toEqual(before);
  });

  test("of two batches of one number at once one is kept whole and the other not at all", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const both = [it.store.commit(everywhere(row, 1)), it.peer.commit(everywhere(row, 2))];
    const ends = await Promise.allSettled(both.flatMap(({ applied, durable }) => [applied, durable]));
    expect(ends.map((end) => end.status).toSorted()).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
    const kept = ends[0]!.status === "fulfilled" ? 1 : 2;
    await expectOnly(it.store, row, kept, 3 - kept);
  });

  test("after a refusal the owner goes on with the number that its row has", async () => {
    await using it = await open();
    const row = await owned(it.store);
    await commit(it.store, row, everywhere(row, 1));
    await refusal(it.store, everywhere(row, 2));
    const now = await it.store.lane(id(0));
    expect((await commit(it.store, now, everywhere(now, 2))).batch).toBe(row.batch + 2);
  });

  test("a commit whose answer was lost is seen in the lane's row, and its repetition writes nothing", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const line = faultyStore(it.store, { commit: () => ({ kind: "unknown-done" }) });
    expect(await refusal(line, everywhere(row, 1))).toBe("COMMIT_UNKNOWN");
    expect((await it.store.lane(id(0))).batch).toBe(row.batch + 1);
    const before = await dump(it.store, 0, [1]);
    expect(await refusal(it.store, everywhere(row, 1))).toBe("NOT_OWNER");
    expect(await dump(it.store, 0, [1])).toEqual(before);
    await expectOnly(it.store, row, 1, 2);
  });

  test("a commit that never arrived is seen in the lane's row, and its repetition is kept", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const line = faultyStore(it.store, { commit: () => ({ kind: "unknown-not-done" }) });
    const before = await dump(it.store, 0, [1]);
    expect(await refusal(line, everywhere(row, 1))).toBe("COMMIT_UNKNOWN");
    expect(await dump(it.store, 0, [1])).toEqual(before);
    await commit(it.store, row, everywhere(row, 1));
    await expectOnly(it.store, row, 1, 2);
  });

  const stored = { states: [state("1", 1), state("2", 1)] };
  const conflicts: Record<string, Partial<Batch>> = {
    "was written by somebody else": { states: [state("1", 1)] },
    "has an older version than expected": { states: [state("1", 3)] },
    "does not exist although it should": { states: [state("3", 2)] },
    "is to be deleted at another version": { states: [deletion("1", 3)] },
    "is to be deleted although it does not exist": { states: [deletion("3", 2)] },
    "is one among a hundred that are as expected": {
      states: [...Array.from({ length: 99 }, (_, at) => state(`new-${at}`, 1)), state("2", 7)],
    },
  };
  for (const [name, change] of Object.entries(conflicts)) {
    test(`a batch with a state that ${name} is a conflict, and nothing of it is kept`, async () => {
      await using it = await open();
      const row = await commit(it.store, await owned(it.store), stored);
      const states = async () => await it.store.load("orders", statesOf(change));
      const before = [await dump(it.store, 0, [5]), await states()];
      expect(await refusal(it.store, { ...everywhere(row, 5), ...change })).toBe("STATE_CONFLICT");
      expect([await dump(it.store, 0, [5]), await states()]).toEqual(before);
    });
  }

  test("after a conflict the same number is still to be had", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), stored);
    await refusal(it.store, batch(row, { states: [state("1", 1)] }));
    expect((await commit(it.store, row, { states: [state("1", 2)] })).batch).toBe(row.batch + 1);
  });

  test("a former owner is told so, whatever its batch holds", async () => {
    await using it = await open();
    const former = await commit(it.store, await owned(it.store), stored);
    await claimed(it.store, 0, "a");
    expect(await refusal(it.store, batch(former, { states: [state("1", 1)] }))).toBe("NOT_OWNER");
  });

  test("a batch that follows a refused one is refused too", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), stored);
    const before = await dump(it.store, 0, [5]);
    const bad = it.store.commit(batch(row, { states: [state("1", 1)] }));
    const next = it.store.commit({ ...everywhere(row, 5), batch: row.batch + 1 });
    const [error] = await Promise.all([
      failure(bad.applied),
      failure(bad.durable),
      failure(next.applied),
      failure(next.durable),
    ]);
    expect(error.code).toBe("STATE_CONFLICT");
    expect(await dump(it.store, 0, [5])).toEqual(before);
  });
}

function statesOf(change: Partial<Batch>): { kind: string; id: string }[] {
  return [...(change.states ?? []), state("1", 1), state("2", 1)].map(({ kind, id: stateId }) => ({
    kind,
    id: stateId,
  }));
}

/** Everything of one batch is there and nothing of another. */
async function expectOnly(
  store: Parameters<typeof dump>[0],
  row: LaneRow,
  kept: number,
  missing: number,
): Promise<void> {
  expect(await dump(store, 0, [kept, missing])).toMatchObject({
    lane: { batch: row.batch + 1, nextN: row.nextN + 4 },
    positions: [{ topic: `topic-${kept}` }],
    parkedKeys: [{ key: `order-${kept}` }],
    sent: [{ topic: `sent-${kept}` }],
    outbox: [{ topic: `topic-${kept}` }],
    states: [{ id: `order-${kept}` }],
    timers: [{ key: `order-${kept}` }],
    effects: [{ key: `order-${kept}` }],
    seen: [{ id: `order-${kept}` }],
    each: [{ parked: [{ key: `order-${kept}` }] }, { parked: [], outbox: [] }],
  });
}
