import { expect, test } from "vitest";
import { faultyStore } from "@waybill/conformance";
import { service, when, whenDue, whenSettled, type Store } from "@waybill/messaging";
import { bell, call, count, counter, thing } from "./counter.ts";
import { deploy } from "./deployment.ts";
import { bill, openBill, payBill, till } from "./till.ts";

test("a timer that was cleared before its time does not ring", async () => {
  const shop = await deploy();
  await shop.start({ services: [till], lanes: 1 });
  for (const id of ["a", "b"]) await shop.publish(openBill, { id, withinMs: 2_000 });
  await shop.publish(payBill, { id: "a" });
  await shop.world.advance(10_000);
  expect([(await shop.read("till", bill("a")))?.is, (await shop.read("till", bill("b")))?.is]).toEqual([
    "paid",
    "lapsed",
  ]);
});

test("a timer that an answer of the same batch clears does not ring", async () => {
  const shop = await deploy({ partitions: 1 });
  const rung: string[] = [];
  const asking = service("counter", {
    on: [
      when(
        count,
        () => [],
        (m, _none, out) => {
          if (m.call !== true) return;
          out.effect(call, { id: m.id, total: 0 });
          out.at(bell, out.nowMs + 1_000);
        },
      ),
      whenSettled(
        call,
        () => [],
        (_r, _none, out) => out.clear(bell),
      ),
      whenDue(
        bell,
        () => [],
        (t) => void rung.push(t.key),
      ),
    ],
  });
  const adapters = {
    call: {
      idempotent: "key" as const,
      keyTtlMs: 1e9,
      call: async () => {
        await shop.world.sleep(1_000);
        return { kind: "done" as const, value: "" };
      },
    },
  };
  let isSlow = false;
  const wrapStore = (store: Store): Store =>
    faultyStore(store, {
      commit: () => (isSlow ? { kind: "delay", until: () => shop.world.sleep(500) } : undefined),
    });
  await shop.start({ services: [asking], lanes: 1, adapters, wrapStore });
  await shop.publish(count, { id: "a", by: 1, call: true });
  await shop.world.advance(800);
  isSlow = true;
  await shop.publish(count, { id: "b", by: 1 });
  await shop.world.advance(10_000);
  expect(rung).toEqual([]);
});

test("a timer that sets itself again and again keeps a short id", async () => {
  const shop = await deploy({ partitions: 1 });
  const ids: string[] = [];
  const ticking = service("counter", {
    on: [
      when(
        count,
        (m) => [thing(m.id)],
        (_m, _held, out) => out.at(bell, out.nowMs + 1_000),
      ),
      whenDue(
        bell,
        (t) => [thing(t.key)],
        (_t, _held, out) => {
          ids.push(out.input.id);
          out.at(bell, out.nowMs + 1_000);
        },
      ),
    ],
  });
  await shop.start({ services: [ticking], lanes: 1 });
  await shop.publish(count, { id: "a", by: 1 });
  await shop.until("it has rung often", () => ids.length >= 50);
  expect(new Set(ids).size).toBe(ids.length);
  expect(Math.max(...ids.map(({ length }) => length))).toBeLessThan(60);
});

test("a timer that is further away than anybody sleeps rings when its time has come", async () => {
  const shop = await deploy({ partitions: 1 });
  await shop.start({ services: [counter], lanes: 1, tickMs: 600_000, ttlMs: 100_000_000 });
  const hourMs = 3_600_000;
  await shop.publish(count, { id: "a", by: 1, after: 26 * hourMs });
  for (let hour = 0; hour < 25; hour++) await shop.world.advance(hourMs);
  expect((await shop.read("counter", thing("a")))?.rings).toBe(0);
  await shop.world.advance(hourMs + 20_000);
  expect((await shop.read("counter", thing("a")))?.rings).toBe(1);
});
