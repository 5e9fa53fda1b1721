import { expect, test } from "vitest";
import { specification } from "@waybill/messaging/specification";
import { service, when } from "@waybill/messaging";
import { bell, call, count, counted, counter, tallier, thing } from "./counter.ts";
import { bill, payBill, till } from "./till.ts";

test("what a service does with an input is seen without an engine", () => {
  const spec = specification(counter);
  const done = spec.when(count, { id: "a", by: 2, call: true, after: 1_000 });
  expect(done.sent).toEqual([{ type: "thing.counted", body: { id: "a", total: 2 } }]);
  expect(done.effects).toMatchObject([{ name: "call", input: { id: "a", total: 2 } }]);
  expect(done.timers).toEqual([{ name: "bell", key: "a", dueMs: spec.nowMs + 1_000, body: null }]);
  expect(spec.state(thing("a"))).toMatchObject({ total: 2 });
});

test("given states are seen by the rule, and timers and answers have their rules", () => {
  const spec = specification(counter);
  spec.given(thing("a"), { total: 5, rings: 0, answers: [] });
  spec.due(bell, "a");
  spec.settled(call, { id: "a", total: 5 }, { kind: "done", value: "yes" });
  spec.settled(call, { id: "a", total: 5 }, { kind: "refused", reason: "no" });
  expect(spec.state(thing("a"))).toEqual({ total: 5, rings: 1, answers: ["yes", "refused"] });
});

test("a rule that throws changes nothing", () => {
  const spec = specification(counter);
  spec.when(count, { id: "a", by: 1 });
  expect(() => spec.when(count, { id: "a", by: 1, fail: true })).toThrow("a cannot be counted");
  expect(spec.state(thing("a"))).toMatchObject({ total: 1 });
});

test("a rule that only waits says so", () => {
  const spec = specification(till);
  expect(() => spec.when(payBill, { id: "a" })).toThrow("Bill a is not open yet.");
  expect(spec.state(bill("a"))).toBeUndefined();
});

test("a rule that changes what it was given is found out", () => {
  const careless = service("careless", {
    on: [
      when(
        count,
        (m) => [thing(m.id)],
        (_m, [held]) => {
          (held.value as { total: number }).total = 7;
        },
      ),
    ],
  });
  const spec = specification(careless);
  spec.given(thing("a"), { total: 1, rings: 0, answers: [] });
  expect(() => spec.when(count, { id: "a", by: 1 })).toThrow(TypeError);
  expect(spec.state(thing("a"))).toMatchObject({ total: 1 });
});

test("what a service has no rule for is said", () => {
  expect(() => specification(tallier).when(count, { id: "a", by: 1 })).toThrow(
    expect.objectContaining({ code: "MESSAGE_UNKNOWN" }),
  );
  expect(specification(tallier).handles(counted)).toBe(true);
  expect(specification(tallier).handles(count)).toBe(false);
});
