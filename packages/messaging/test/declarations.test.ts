import { type } from "arktype";
import { expect, test } from "vitest";
import {
  check,
  checked,
  command,
  effect,
  event,
  reads,
  service,
  state,
  timer,
  topic,
  upcast,
  when,
  whenDue,
  whenSettled,
} from "@waybill/messaging";
import { count, counted, counter, thing } from "./counter.ts";

const invalid = expect.objectContaining({ code: "CONTRACT_INVALID" }) as Error;
const open = topic("some-in", { door: true });
const schema = type({ id: "string", lines: [{ n: "number" }, "[]"] });

test.each(["", "Orders", "orders.in", "orders_in", "9orders", "x".repeat(64)])("%j is no name for a topic", (name) => {
  expect(() => topic(name, { door: true })).toThrow(invalid);
});

test("a stamped topic has writers, and only a door has a window for repeats", () => {
  expect(() => topic("orders", {})).toThrow(invalid);
  expect(() => topic("orders", { writers: ["orders"], dedupeMs: 1 })).toThrow(invalid);
  expect(topic("orders", { writers: ["orders"] })).toMatchObject({ door: false, bytesMax: 1_000_000 });
});

test.each(["order", "Order.placed", "order..placed", ".placed"])("%j is no name for a message", (name) => {
  expect(() => event(name, { topic: open, schema, subject: (m) => m.id, samples: [] })).toThrow(invalid);
});

test("a sample that does not fit its schema is found when the message is declared", () => {
  const samples = [{ id: "a", lines: [{ n: "one" }] }] as never;
  expect(() => command("thing.do", { topic: open, schema, subject: (m) => m.id, samples })).toThrow(/lines\[0\]\.n/);
});

test("the key is the subject unless it is stated", () => {
  const options = { topic: open, schema, subject: (m: { id: string }) => m.id, samples: [] };
  expect(event("thing.done", options).key({ id: "a", lines: [] })).toBe("a");
  expect(event("thing.done", { ...options, key: () => "k" }).key({ id: "a", lines: [] })).toBe("k");
});

test("everything with versions needs each step between them", () => {
  const steps = { version: 3, upcasts: { 1: (v: object) => v } };
  expect(() => state("s", steps)).toThrow(/no upcast from version 2/);
  expect(() => timer("t", steps)).toThrow(invalid);
  expect(() => effect("e", { queue: "q", ...steps })).toThrow(invalid);
  expect(() => event("a.b", { topic: open, schema, subject: (m) => m.id, samples: [], ...steps })).toThrow(invalid);
});

test("a body is lifted step by step, and never from the future", () => {
  const versioned = {
    version: 3,
    upcasts: { 1: (v: { a: number }) => ({ b: v.a }), 2: (v: { b: number }) => ({ c: v.b + 1 }) },
  };
  expect(upcast("it", versioned, 1, { a: 1 })).toEqual({ c: 2 });
  expect(upcast("it", versioned, 2, { b: 1 })).toEqual({ c: 2 });
  expect(upcast("it", versioned, 3, { c: 9 })).toEqual({ c: 9 });
  expect(() => upcast("it", versioned, 4, {})).toThrow(expect.objectContaining({ code: "LEVEL_TOO_LOW" }));
});

test("a schema says what is wrong where", () => {
  expect(check(schema, { id: "a", lines: [] })).toEqual({ value: { id: "a", lines: [] } });
  const result = check(schema, { id: 1, lines: [{ n: 1 }, {}] });
  expect("issues" in result && result.issues.map(({ field }) => field).toSorted()).toEqual(["id", "lines[1].n"]);
  expect(() => checked(count, { id: "a", by: "one" }, "MESSAGE_INVALID", "As sent:")).toThrow(
    expect.objectContaining({
      code: "MESSAGE_INVALID",
      message: expect.stringMatching(/^As sent: thing\.count: by: /) as string,
    }),
  );
});

test("a schema that has to wait is refused", () => {
  const waiting = { "~standard": { version: 1 as const, vendor: "test", validate: async () => ({ value: 1 }) } };
  expect(() => check(waiting, 1)).toThrow(invalid);
});

test("a service has one rule for one thing", () => {
  const rules = [
    when(
      count,
      () => [],
      () => undefined,
    ),
    when(
      count,
      () => [],
      () => undefined,
    ),
  ];
  expect(() => service("twice", { on: rules })).toThrow(/two rules for message count-in\/thing\.count/);
  const bell = timer("bell");
  const ring = whenDue(
    bell,
    () => [],
    () => undefined,
  );
  expect(() => service("twice", { on: [ring, ring] })).toThrow(invalid);
  const call = effect("call", { queue: "q" });
  const answer = whenSettled(
    call,
    () => [],
    () => undefined,
  );
  expect(() => service("twice", { on: [answer, answer] })).toThrow(invalid);
});

test("a service sends to topics that name it, and to doors", () => {
  expect(() => service("stranger", { sends: [counted], on: [] })).toThrow(
    expect.objectContaining({ code: "TOPIC_FOREIGN" }),
  );
  expect(service("stranger", { sends: [count], on: [] }).sends).toEqual([count]);
});

test("a service reads the topics of its rules, each once", () => {
  expect(reads(counter)).toEqual(["count-in"]);
  expect(reads(service("none", { on: [] }))).toEqual([]);
});

test("a state is named by its kind and id", () => {
  expect(thing("a")).toEqual({ of: thing, id: "a" });
  expect(thing.kind).toBe("thing");
  expect(thing.version).toBe(1);
});
