import { expect, test } from "vitest";
import {
  claimed,
  commit,
  declare,
  id,
  member,
  owned,
  state,
  type OpenStore,
  type StoreUnderTest,
} from "./store-fixture.ts";
import { failure } from "./transport-fixture.ts";

/** Listens for lanes of the orders service; resolves when it is heard that the database knows of it. */
async function listening(it: StoreUnderTest): Promise<{ calls(): number; stop(): Promise<void> }> {
  let calls = 0;
  const watch = it.peer.watch(["orders"], () => calls++);
  // A hint may be lost until then, so one is given again and again till one arrives; the rest of them are let in.
  while (calls === 0) {
    await it.store.join(member("probe"), 60_000);
    await it.store.leave(member("probe").id);
    await it.pass(20);
  }
  await it.pass(200);
  return { calls: () => calls, stop: async () => watch[Symbol.asyncDispose]() };
}

export function memberCases(open: OpenStore): void {
  test("declaring a service makes its lanes: without owner, each with a source of its own, numbers from 1", async () => {
    await using it = await open();
    let made = 0;
    await it.store.declare("orders", 3, () => `life-${++made}`);
    const { lanes } = await it.store.survey(["orders"]);
    expect(lanes.map((row) => row.lane).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    expect(lanes.map((row) => row.source).toSorted()).toEqual(["life-1", "life-2", "life-3"]);
    for (const row of lanes) {
      expect(row).toMatchObject({ service: "orders", batch: 0, nextN: 1, timeMs: 0, tries: 0 });
      expect([row.owner, row.suspect, row.stopped]).toEqual([undefined, undefined, undefined]);
    }
  });

  test("declaring a service again leaves its lanes as they are", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), { count: 3 });
    await declare(it.store);
    await declare(it.peer);
    expect(await it.store.lane(id(0))).toEqual(row);
  });

  test("declaring a service with another number of lanes is refused and changes nothing", async () => {
    await using it = await open();
    await declare(it.store);
    const before = await it.store.survey(["orders"]);
    for (const other of [1, 3]) {
      expect((await failure(it.store.declare("orders", other, () => "other"))).code).toBe("CONTRACT_INVALID");
    }
    expect(await it.store.survey(["orders"])).toEqual(before);
  });

  test("two processes that declare a service at once get the same lanes", async () => {
    await using it = await open();
    await Promise.all([declare(it.store), declare(it.peer), declare(it.store)]);
    const { lanes } = await it.peer.survey(["orders"]);
    expect(lanes).toHaveLength(2);
    expect(await it.store.survey(["orders"])).toEqual(await it.peer.survey(["orders"]));
  });

  test("services in one store have nothing in common", async () => {
    await using it = await open();
    const orders = await owned(it.store, 0, "orders");
    const billing = await owned(it.store, 0, "billing");
    await commit(it.store, orders, { states: [state("1", 1, '{"of":"orders"}')] });
    expect(await it.store.lane(id(0, "billing"))).toEqual(billing);
    expect(await it.store.load("billing", [{ kind: "order", id: "1" }])).toEqual([]);
    await commit(it.store, billing, { states: [state("1", 1, '{"of":"billing"}')] });
    const [found] = await it.store.load("orders", [{ kind: "order", id: "1" }]);
    expect(found!.body).toBe('{"of":"orders"}');
  });

  test("a survey lists the lanes of the services asked for and no others", async () => {
    await using it = await open();
    for (const service of ["orders", "billing", "stock"]) await declare(it.store, service);
    const { lanes } = await it.store.survey(["orders", "stock"]);
    expect(new Set(lanes.map((row) => row.service))).toEqual(new Set(["orders", "stock"]));
    expect(lanes).toHaveLength(4);
  });

  test("a member is listed as it joined until it leaves", async () => {
    await using it = await open();
    await declare(it.store);
    await it.store.join(member("a"), 60_000);
    await it.store.join(member("b", 7), 60_000);
    const joined = await it.peer.survey(["orders"]);
    expect(joined.members.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([member("a"), member("b", 7)]);
    await it.store.leave(member("a").id);
    expect((await it.peer.survey(["orders"])).members).toEqual([member("b", 7)]);
  });

  test("a member that joins again is listed as it joined last, and keeps its lanes", async () => {
    await using it = await open();
    const row = await owned(it.store);
    await it.store.join({ ...member("a"), services: [] }, 60_000);
    const { lanes, members } = await it.peer.survey(["orders"]);
    expect(members).toEqual([{ ...member("a"), services: [] }]);
    expect(lanes.find(({ lane }) => lane === 0)).toEqual(row);
  });

  test("a member that is not renewed is no longer listed once its time is over", async () => {
    await using it = await open();
    await declare(it.store);
    await it.store.join(member("a"), 200);
    await it.store.join(member("b"), 60_000);
    await it.pass(250);
    expect((await it.store.survey(["orders"])).members).toEqual([member("b")]);
  });

  test("a renewal counts from its own moment", async () => {
    await using it = await open();
    await declare(it.store);
    await it.store.join(member("a"), 100);
    expect(await it.store.renew(member("a").id, 60_000)).toBe(true);
    await it.pass(150);
    expect((await it.store.survey(["orders"])).members).toEqual([member("a")]);
  });

  test("a member that has expired cannot renew, and holds nothing until it joins again", async () => {
    await using it = await open();
    await declare(it.store);
    await it.store.join(member("a"), 100);
    await claimed(it.store, 0, "a");
    await it.pass(150);
    expect(await it.store.renew(member("a").id, 60_000)).toBe(false);
    expect((await it.store.survey(["orders"])).members).toEqual([]);
    await it.peer.join(member("b"), 60_000);
    expect((await claimed(it.peer, 0, "b")).owner).toBe(member("b").id);
    await it.store.join(member("a"), 60_000);
    expect((await it.store.survey(["orders"])).members).toHaveLength(2);
  });

  test("a member that never joined or has left cannot renew", async () => {
    await using it = await open();
    expect(await it.store.renew(member("a").id, 60_000)).toBe(false);
    await it.store.join(member("a"), 60_000);
    await it.store.leave(member("a").id);
    expect(await it.store.renew(member("a").id, 60_000)).toBe(false);
    await it.store.leave(member("a").id);
  });

  test("a process hears that another gave back a lane, or left, until it stops to listen", async () => {
    await using it = await open();
    await it.peer.join(member("b"), 60_000);
    const row = await owned(it.store);
    const heard = await listening(it);
    const before = heard.calls();
    await it.store.release(id(0), row.epoch);
    await expect.poll(() => heard.calls(), { timeout: 10_000, interval: 1 }).toBe(before + 1);
    await it.store.leave(member("a").id);
    await expect.poll(() => heard.calls(), { timeout: 10_000, interval: 1 }).toBe(before + 2);
    await heard.stop();
  });

  test("the clock goes on and not back", async () => {
    await using it = await open();
    const before = it.store.nowMs();
    await it.pass(50);
    // A timer may go off a little early by the other clock.
    expect(it.store.nowMs()).toBeGreaterThan(before + 25);
  });

  test("nothing can be asked of a closed store", async () => {
    await using it = await open();
    await declare(it.store);
    await it.store[Symbol.asyncDispose]();
    expect((await failure(it.store.lane(id(0)))).code).toBe("CLOSED");
    expect((await failure(it.store.survey(["orders"]))).code).toBe("CLOSED");
    expect((await failure(it.store.join(member("a"), 1000))).code).toBe("CLOSED");
    expect((await failure(it.store.load("orders", [{ kind: "order", id: "1" }]))).code).toBe("CLOSED");
  });
}
