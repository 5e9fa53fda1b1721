import { array, assert, boolean, constant, constantFrom, oneof, property, record } from "fast-check";
import { describe, expect, test } from "vitest";
import { answered, begun, closed, failed, held, untold, waitMs, type Breaker } from "../src/lane/breaker.ts";

const limits = { entities: 3, openMs: 1_000, openMsMax: 5_000 };
const fails = (breaker: Breaker, names: string, nowMs = 0) =>
  Array.from(names).reduce((one, name) => failed(one, name, false, nowMs, limits), breaker);
const open = fails(closed, "abc");

describe("a closed breaker", () => {
  test("lets everything through, and costs nothing while all is well", () => {
    expect(waitMs(closed, 0)).toBe(0);
    expect(begun(closed)).toBe(closed);
    expect(answered(closed)).toBe(closed);
  });

  test("opens when calls of several entities fail in a row, and not for one that always fails", () => {
    expect(waitMs(fails(closed, "aaaaaaaaaa"), 0)).toBe(0);
    expect(waitMs(fails(closed, "aabb"), 0)).toBe(0);
    expect(waitMs(fails(closed, "abc", 7), 7)).toBe(1_000);
    expect(waitMs(fails(answered(fails(closed, "ab")), "ca"), 0)).toBe(0);
  });
});

describe("an open breaker", () => {
  test("lets nothing through, then one call at a time", () => {
    expect([waitMs(open, 0), waitMs(open, 999), waitMs(open, 1_000)]).toEqual([1_000, 1, 0]);
    const probing = begun(open);
    expect(waitMs(probing, 1_000)).toBeUndefined();
    expect(waitMs(untold(probing, true), 1_000)).toBe(0);
    expect(waitMs(answered(probing), 1_000)).toBe(0);
    expect(begun(answered(probing)).isProbing).toBe(false);
  });

  test("opens for twice as long when that one fails too, up to a bound", () => {
    const waits: (number | undefined)[] = [];
    let breaker = open;
    for (let n = 0; n < 5; n++) {
      breaker = failed(begun(breaker), "d", true, 0, limits);
      waits.push(waitMs(breaker, 0));
    }
    expect(waits).toEqual([2_000, 4_000, 5_000, 5_000, 5_000]);
    expect(waitMs(fails(answered(breaker), "abc"), 0)).toBe(1_000);
  });

  test("learns nothing from calls that were under way when it opened, unless they are answered", () => {
    expect(fails(open, "defgh")).toEqual(open);
    expect(untold(open, false)).toBe(open);
    expect(waitMs(answered(open), 0)).toBe(0);
  });
});

describe("an answer that asks for patience", () => {
  test("holds all calls until then, whatever else is heard", () => {
    const patient = held(closed, 2_000);
    expect([waitMs(patient, 0), waitMs(patient, 2_000)]).toEqual([2_000, 0]);
    expect(waitMs(answered(patient), 0)).toBe(2_000);
    expect(waitMs(held(patient, 500), 0)).toBe(2_000);
    expect(waitMs(held(open, 5_000), 0)).toBe(5_000);
  });
});

test("whatever comes, calls are made again once the other side answers, and one is always let through in the end", () => {
  const event = oneof(
    record({ what: constant("fails" as const), who: constantFrom("a", "b", "c", "d"), isProbe: boolean() }),
    record({ what: constantFrom("answered" as const, "begun" as const, "later" as const) }),
  );
  assert(
    property(array(event, { maxLength: 60 }), (events) => {
      let breaker = closed;
      let nowMs = 0;
      let probes = 0;
      for (const one of events) {
        if (one.what === "later") nowMs += 700;
        else if (one.what === "answered") [breaker, probes] = [answered(breaker), 0];
        else if (one.what === "begun" && waitMs(breaker, nowMs) === 0) {
          breaker = begun(breaker);
          probes += breaker.isProbing ? 1 : 0;
        } else if (one.what === "fails") {
          const isProbe = one.isProbe && breaker.isProbing;
          breaker = failed(breaker, one.who, isProbe, nowMs, limits);
          probes -= isProbe ? 1 : 0;
        }
        expect(probes).toBeLessThanOrEqual(1);
        expect(waitMs(breaker, nowMs) ?? 0).toBeLessThanOrEqual(limits.openMsMax);
        expect(breaker.failed.size).toBeLessThanOrEqual(limits.entities);
      }
      expect(waitMs(answered(breaker), nowMs)).toBe(0);
    }),
  );
});
