import type { TimerRow } from "@waybill/messaging";
import { expect, test } from "vitest";
import { commit, farMs, id, limit, owned, sorted, timer, type OpenStore } from "./store-fixture.ts";

export function timerCases(open: OpenStore): void {
  test("timers due at or before a time come earliest first", async () => {
    await using it = await open();
    const set = [timer("c", 300), timer("a", 100), timer("d", 400), timer("b", 200)];
    await commit(it.store, await owned(it.store), { timers: { set, cleared: [] } });
    expect(keys(await it.store.timers(id(0), 300, limit))).toEqual(["a", "b", "c"]);
    expect(keys(await it.store.timers(id(0), 299, limit))).toEqual(["a", "b"]);
    expect(await it.store.timers(id(0), 99, limit)).toEqual([]);
  });

  test("no more timers come than were asked for, and they are the earliest", async () => {
    await using it = await open();
    const set = [5, 3, 9, 1, 7].map((dueMs) => timer(String(dueMs), dueMs));
    await commit(it.store, await owned(it.store), { timers: { set, cleared: [] } });
    expect(keys(await it.store.timers(id(0), farMs, 2))).toEqual(["1", "3"]);
  });

  test("a timer comes back whole", async () => {
    await using it = await open();
    const whole: TimerRow = {
      partition: 2,
      key: "größe 😀",
      name: "payment.deadline",
      dueMs: 4_102_444_800_123,
      schema: 3,
      body: JSON.stringify({ text: "a\u0000\ud800" }),
      correlation: "c-ü",
      causation: "m-1",
    };
    await commit(it.store, await owned(it.store), { timers: { set: [whole], cleared: [] } });
    expect(await it.store.timers(id(0), whole.dueMs, limit)).toEqual([whole]);
    expect(await it.store.timers(id(0), whole.dueMs - 1, limit)).toEqual([]);
  });

  test("a timer that is set again is one timer, at its new time", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), {
      timers: { set: [timer("a", 100), timer("b", 150)], cleared: [] },
    });
    const later = timer("a", 200, { body: '{"again":true}' });
    await commit(it.store, row, { timers: { set: [later], cleared: [] } });
    expect(await it.store.timers(id(0), farMs, limit)).toEqual([timer("b", 150), later]);
    expect(await it.store.nextTimer(id(0))).toBe(150);
  });

  test("a cleared timer does not come, and clearing what is not there is nothing", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), {
      timers: { set: [timer("a", 100), timer("b", 200)], cleared: [] },
    });
    await commit(it.store, row, { timers: { set: [], cleared: [timer("a", 0), timer("never", 0)] } });
    expect(keys(await it.store.timers(id(0), farMs, limit))).toEqual(["b"]);
    expect(await it.store.nextTimer(id(0))).toBe(200);
  });

  test("timers differ by partition, key and name", async () => {
    await using it = await open();
    const set = [
      timer("a", 1),
      timer("a", 2, { name: "unshipped" }),
      timer("a", 3, { partition: 2 }),
      timer("b", 4),
      timer("a:b", 5, { name: "c" }),
      timer("a", 6, { name: "b:c" }),
    ];
    const row = await commit(it.store, await owned(it.store), { timers: { set, cleared: [] } });
    expect(await it.store.timers(id(0), farMs, limit)).toEqual(set);
    await commit(it.store, row, { timers: { set: [], cleared: [set[1]!] } });
    expect(sorted(await it.store.timers(id(0), farMs, limit))).toEqual(sorted(set.filter((_, at) => at !== 1)));
  });

  test("a lane sees the timers of its own partitions only", async () => {
    await using it = await open();
    const first = await owned(it.store, 0);
    const second = await owned(it.store, 1);
    await commit(it.store, first, {
      timers: { set: [timer("a", 100, { partition: 0 }), timer("b", 50, { partition: 2 })], cleared: [] },
    });
    await commit(it.store, second, {
      timers: { set: [timer("c", 10, { partition: 1 }), timer("d", 20, { partition: 3 })], cleared: [] },
    });
    expect(keys(await it.store.timers(id(0), farMs, limit))).toEqual(["b", "a"]);
    expect(keys(await it.store.timers(id(1), farMs, limit))).toEqual(["c", "d"]);
    expect([await it.store.nextTimer(id(0)), await it.store.nextTimer(id(1))]).toEqual([50, 10]);
  });

  test("a service sees its own timers only", async () => {
    await using it = await open();
    await owned(it.store, 0, "billing");
    await commit(it.store, await owned(it.store), { timers: { set: [timer("a", 100)], cleared: [] } });
    expect(await it.store.timers(id(0, "billing"), farMs, limit)).toEqual([]);
    expect(await it.store.nextTimer(id(0, "billing"))).toBeUndefined();
  });

  test("the next timer is the earliest, due or not; without timers there is none", async () => {
    await using it = await open();
    const row = await owned(it.store);
    expect(await it.store.nextTimer(id(0))).toBeUndefined();
    await commit(it.store, row, { timers: { set: [timer("b", 200), timer("a", 100)], cleared: [] } });
    expect(await it.store.nextTimer(id(0))).toBe(100);
    expect((await it.store.recover(id(0))).nextTimerMs).toBe(100);
  });
}

function keys(rows: readonly TimerRow[]): string[] {
  return rows.map((row) => row.key);
}
