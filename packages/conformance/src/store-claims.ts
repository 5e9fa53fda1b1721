import { expect, test } from "vitest";
import { batch, claimed, commit, declare, id, member, owned, refusal, type OpenStore } from "./store-fixture.ts";

export function claimCases(open: OpenStore): void {
  test("a claim of a free lane gives it to the member, with the next epoch", async () => {
    await using it = await open();
    await declare(it.store);
    await it.store.join(member("a"), 60_000);
    const before = await it.store.lane(id(0));
    const row = await it.store.claim(id(0), member("a").id, 1, before.epoch);
    expect(row).toEqual({ ...before, owner: member("a").id, epoch: row!.epoch, tries: 1 });
    expect(row!.epoch).toBeGreaterThan(before.epoch);
    expect(await it.peer.lane(id(0))).toEqual(row);
  });

  test("a claim leaves the other lanes as they are", async () => {
    await using it = await open();
    await declare(it.store);
    const other = await it.store.lane(id(1));
    await owned(it.store, 0);
    expect(await it.store.lane(id(1))).toEqual(other);
  });

  test("of claims of one lane at once exactly one succeeds", async () => {
    await using it = await open();
    await declare(it.store);
    const names = ["a", "b", "c", "d"];
    for (const name of names) await it.store.join(member(name), 60_000);
    const { epoch } = await it.store.lane(id(0));
    const claims = await Promise.all(
      names.map((name, at) => (at % 2 === 0 ? it.store : it.peer).claim(id(0), member(name).id, 1, epoch)),
    );
    const won = claims.filter((row) => row !== undefined);
    expect(won).toHaveLength(1);
    expect(won[0]!.epoch).toBeGreaterThan(epoch);
    expect(await it.store.lane(id(0))).toEqual(won[0]);
  });

  test("a claim fails when the epoch has moved since it was seen", async () => {
    await using it = await open();
    const row = await owned(it.store);
    await it.store.release(id(0), row.epoch);
    expect(await it.store.claim(id(0), member("a").id, 1, row.epoch - 1)).toBeUndefined();
    expect((await it.store.lane(id(0))).epoch).toBe(row.epoch);
  });

  test("a lane of a living member cannot be claimed by another", async () => {
    await using it = await open();
    const row = await owned(it.store);
    await it.peer.join(member("b"), 60_000);
    expect(await it.peer.claim(id(0), member("b").id, 1, row.epoch)).toBeUndefined();
    expect(await it.peer.lane(id(0))).toEqual(row);
  });

  test("a lane of a member that has expired can be claimed, and not a moment before", async () => {
    await using it = await open();
    await declare(it.store);
    await it.store.join(member("a"), 10_000);
    await it.peer.join(member("b"), 60_000);
    const row = await claimed(it.store, 0, "a");
    expect(await it.peer.claim(id(0), member("b").id, 1, row.epoch)).toBeUndefined();
    await it.store.renew(member("a").id, 200);
    await it.pass(250);
    const taken = await it.peer.claim(id(0), member("b").id, 1, row.epoch);
    expect(taken).toMatchObject({ owner: member("b").id });
    expect(taken!.epoch).toBeGreaterThan(row.epoch);
  });

  test("a member that renews keeps its lanes beyond its first time", async () => {
    await using it = await open();
    await declare(it.store);
    await it.store.join(member("a"), 100);
    await it.peer.join(member("b"), 60_000);
    const row = await claimed(it.store, 0, "a");
    await it.store.renew(member("a").id, 60_000);
    await it.pass(150);
    expect(await it.peer.claim(id(0), member("b").id, 1, row.epoch)).toBeUndefined();
  });

  test("a lane of a member that left can be claimed at once", async () => {
    await using it = await open();
    const row = await owned(it.store);
    await it.peer.join(member("b"), 60_000);
    await it.store.leave(member("a").id);
    expect(await it.peer.claim(id(0), member("b").id, 1, row.epoch)).toMatchObject({ owner: member("b").id });
  });

  test("a member may claim its own lane again, with the next epoch", async () => {
    await using it = await open();
    const row = await owned(it.store);
    const again = await it.store.claim(id(0), member("a").id, 1, row.epoch);
    expect(again).toMatchObject({ owner: member("a").id });
    expect(again!.epoch).toBeGreaterThan(row.epoch);
    expect(await refusal(it.store, batch(row))).toBe("NOT_OWNER");
  });

  test("a lane on which a higher level has written cannot be claimed by a lower one", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), { level: 5 });
    expect(row.level).toBe(5);
    await it.store.release(id(0), row.epoch);
    expect(await it.store.claim(id(0), member("a").id, 4, row.epoch)).toBeUndefined();
    expect(await it.store.claim(id(0), member("a").id, 5, row.epoch)).toMatchObject({ level: 5 });
  });

  test("an epoch is at least the store's clock: tables that are put back do not give one twice", async () => {
    await using it = await open();
    await declare(it.store);
    const beforeMs = Math.floor(it.store.nowMs());
    expect((await owned(it.store)).epoch).toBeGreaterThanOrEqual(beforeMs);
  });

  test("claims without a commit between them are counted", async () => {
    await using it = await open();
    await owned(it.store);
    await claimed(it.store, 0, "a");
    const row = await claimed(it.store, 0, "a");
    expect(row.tries).toBe(3);
    expect((await commit(it.store, row)).tries).toBe(0);
  });

  test("a released lane is free", async () => {
    await using it = await open();
    const row = await owned(it.store);
    await it.peer.join(member("b"), 60_000);
    await it.store.release(id(0), row.epoch);
    expect((await it.peer.lane(id(0))).owner).toBeUndefined();
    expect(await it.peer.claim(id(0), member("b").id, 1, row.epoch)).toMatchObject({ owner: member("b").id });
  });

  test("a release by a former owner does nothing", async () => {
    await using it = await open();
    const former = await owned(it.store);
    const row = await claimed(it.store, 0, "a");
    await it.peer.release(id(0), former.epoch);
    expect(await it.store.lane(id(0))).toEqual(row);
  });

  test("a stopped lane cannot be claimed until it is resumed", async () => {
    await using it = await open();
    const row = await owned(it.store);
    expect(await it.store.mark(id(0), row.epoch, { stopped: "GAP: 7 is missing" })).toBe(true);
    await it.store.release(id(0), row.epoch);
    expect((await it.peer.lane(id(0))).stopped).toBe("GAP: 7 is missing");
    expect(await it.store.claim(id(0), member("a").id, 1, row.epoch)).toBeUndefined();
    await it.peer.resume(id(0));
    expect((await it.store.lane(id(0))).stopped).toBeUndefined();
    expect(await it.store.claim(id(0), member("a").id, 1, row.epoch)).toMatchObject({ owner: member("a").id });
  });

  test("resuming a lane leaves the others stopped", async () => {
    await using it = await open();
    for (const lane of [0, 1]) {
      const row = await owned(it.store, lane);
      await it.store.mark(id(lane), row.epoch, { stopped: "GAP" });
    }
    await it.store.resume(id(1));
    expect((await it.store.lane(id(0))).stopped).toBe("GAP");
  });

  test("an owner may mark source and suspect, and take the suspect back", async () => {
    await using it = await open();
    const row = await owned(it.store);
    expect(await it.store.mark(id(0), row.epoch, { source: "another-life", suspect: "m-7 \u00fc" })).toBe(true);
    expect(await it.store.lane(id(0))).toEqual({ ...row, source: "another-life", suspect: "m-7 \u00fc" });
    expect(await it.store.mark(id(0), row.epoch, { suspect: null })).toBe(true);
    expect(await it.store.lane(id(0))).toEqual({ ...row, source: "another-life" });
    expect(await it.store.mark(id(0), row.epoch, { stopped: "GAP" })).toBe(true);
    expect(await it.store.mark(id(0), row.epoch, { stopped: null })).toBe(true);
    expect(await it.store.lane(id(0))).toEqual({ ...row, source: "another-life" });
  });

  test("a mark by a former owner changes nothing", async () => {
    await using it = await open();
    const former = await owned(it.store);
    const row = await claimed(it.store, 0, "a");
    const change = { source: "another-life", suspect: "m-7", stopped: "GAP" };
    expect(await it.peer.mark(id(0), former.epoch, change)).toBe(false);
    expect(await it.store.lane(id(0))).toEqual(row);
  });

  test("a suspect stays through claims and goes with a commit", async () => {
    await using it = await open();
    const first = await owned(it.store);
    await it.store.mark(id(0), first.epoch, { suspect: "m-7" });
    const row = await claimed(it.store, 0, "a");
    expect(row.suspect).toBe("m-7");
    expect((await commit(it.store, row)).suspect).toBeUndefined();
  });
}
