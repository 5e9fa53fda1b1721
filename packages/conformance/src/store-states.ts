import type { PositionRow, StateKey } from "@waybill/messaging";
import { expect, test } from "vitest";
import { commit, deletion, id, owned, position, sorted, state, type OpenStore } from "./store-fixture.ts";

const bodies: Record<string, string> = {
  "text of many scripts": JSON.stringify({ de: "Größe", ja: "注文", ar: "طلب", combining: "e\u0301 é" }),
  "characters of four bytes": JSON.stringify({ text: "😀𝒳👩‍👩‍👧" }),
  "an escaped NUL": JSON.stringify({ text: "a\u0000b" }),
  "an escaped lone surrogate": JSON.stringify({ text: "\ud800 and \udfff" }),
  "quotes and backslashes": JSON.stringify({ sql: "'; drop table state; --", path: "C:\\new" }),
  "a number as large as they are exact": JSON.stringify({ amount: Number.MAX_SAFE_INTEGER }),
  "spaces that mean nothing": ' { "a" : 1 }\n',
  "two hundred thousand characters": JSON.stringify("x".repeat(200_000)),
};

/** Ids that some encodings, collations or comparisons take for the same. */
const ids = [
  "a",
  "A",
  "a ",
  " a",
  "é",
  "e\u0301",
  "😀",
  "注文",
  "%61",
  "a'b",
  'a"b',
  "a\\b",
  "a:b",
  "a/b",
  "a,b",
  "null",
  "0",
  "00",
  "0.0",
  "true",
  "k".repeat(200),
];

export function stateCases(open: OpenStore): void {
  test("load gives the states that exist among the keys, whole", async () => {
    await using it = await open();
    const first = { ...state("1", 1), home: 6, schema: 3 };
    await commit(it.store, await owned(it.store), { states: [first, state("2", 1)] });
    expect(await it.peer.load("orders", [key("9"), key("1"), key("8")])).toEqual([first]);
    expect(sorted(await it.peer.load("orders", [key("2"), key("1")]))).toEqual(sorted([first, state("2", 1)]));
    expect(await it.peer.load("orders", [])).toEqual([]);
  });

  test("a state is replaced by its next version", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), { states: [state("1", 1)] });
    const next = { ...state("1", 2), home: 4, schema: 2 };
    await commit(it.store, row, { states: [next] });
    expect(await it.store.load("orders", [key("1")])).toEqual([next]);
  });

  test("a deleted state is gone, and begins again at version 1", async () => {
    await using it = await open();
    let row = await commit(it.store, await owned(it.store), { states: [state("1", 1), state("2", 1)] });
    row = await commit(it.store, row, { states: [deletion("1", 2)] });
    expect(await it.store.load("orders", [key("1"), key("2")])).toEqual([state("2", 1)]);
    await commit(it.store, row, { states: [state("1", 1, '{"new":true}')] });
    expect(await it.store.load("orders", [key("1")])).toEqual([state("1", 1, '{"new":true}')]);
  });

  test("states of different kinds with one id are different states", async () => {
    await using it = await open();
    const other = { ...state("1", 1, '{"kind":"other"}'), kind: "reservation" };
    await commit(it.store, await owned(it.store), { states: [state("1", 1), other] });
    expect(await it.store.load("orders", [{ kind: "reservation", id: "1" }])).toEqual([other]);
    expect(await it.store.load("orders", [key("1")])).toEqual([state("1", 1)]);
  });

  test("kind and id are never run together", async () => {
    await using it = await open();
    const tricky = [
      { ...state("b:c", 1, "1"), kind: "a" },
      { ...state("c", 1, "2"), kind: "a:b" },
      { ...state("b/c", 1, "3"), kind: "a" },
      { ...state("c", 1, "4"), kind: "a/b" },
    ];
    await commit(it.store, await owned(it.store), { states: tricky });
    for (const one of tricky)
      expect(
        await it.store.load(
          "orders",
          [one].map(({ kind, id: of }) => ({ kind, id: of })),
        ),
      ).toEqual([one]);
  });

  test("ids that only look alike are different states", async () => {
    await using it = await open();
    const written = ids.map((one, at) => state(one, 1, String(at)));
    await commit(it.store, await owned(it.store), { states: written });
    expect(sorted(await it.store.load("orders", ids.map(key)))).toEqual(sorted(written));
    for (const [at, one] of ids.entries())
      expect((await it.store.load("orders", [key(one)]))[0]?.body).toBe(String(at));
  });

  for (const [name, body] of Object.entries(bodies)) {
    test(`a state with ${name} comes back as it was`, async () => {
      await using it = await open();
      await commit(it.store, await owned(it.store), { states: [state("1", 1, body)] });
      expect((await it.store.load("orders", [key("1")]))[0]!.body).toBe(body);
    });
  }

  test("thousands of states are loaded with one call", async () => {
    await using it = await open();
    const many = Array.from({ length: 4000 }, (_, at) => `order-${at}`);
    await commit(it.store, await owned(it.store), { states: many.map((one) => state(one, 1)) });
    const keys = [...many, ...many.map((one) => `no-${one}`)].map(key);
    expect(await it.store.load("orders", keys)).toHaveLength(4000);
  });

  test("positions come back as they were committed last, each with its lane", async () => {
    await using it = await open();
    const second = position("orders", 2, 9);
    let row = await commit(it.store, await owned(it.store), { positions: [position("orders", 0, 5), second] });
    await commit(it.store, await owned(it.store, 1), { positions: [position("orders", 3, 7)] });
    row = await it.store.lane(id(0));
    await commit(it.store, row, { positions: [position("orders", 0, 6), position("payments", 0, 1)] });
    const zero = [position("orders", 0, 6), second, position("payments", 0, 1)];
    expect(sorted((await it.peer.recover(id(0))).positions)).toEqual(sorted(zero));
    expect((await it.peer.recover(id(1))).positions).toEqual([position("orders", 3, 7)]);
  });

  test("a position keeps marks of many sources, negative and large ones too, and what was not read yet", async () => {
    await using it = await open();
    const marks: Record<string, number> = { "source-ü": -3, "source:2": 2 ** 52 + 1 };
    for (let at = 0; at < 100; at++) marks[`source-${at}`] = at;
    const unread: PositionRow = { topic: "orders", partition: 0, logId: "", nextOffset: 0, marks };
    await commit(it.store, await owned(it.store), { positions: [unread] });
    expect((await it.store.recover(id(0))).positions).toEqual([unread]);
  });

  test("a position is replaced whole: a mark that is no longer there is gone", async () => {
    await using it = await open();
    const first = { ...position("orders", 0, 5), marks: { a: 1, b: 2 } };
    const row = await commit(it.store, await owned(it.store), { positions: [first] });
    const next = { ...position("orders", 0, 6), logId: "log-2", marks: { b: 3 } };
    await commit(it.store, row, { positions: [next] });
    expect((await it.store.recover(id(0))).positions).toEqual([next]);
  });

  test("a lane that has done nothing recovers nothing", async () => {
    await using it = await open();
    await owned(it.store);
    const { nextTimerMs, ...lists } = await it.store.recover(id(0));
    expect(lists).toEqual({ positions: [], parkedKeys: [], sent: [], outbox: [], said: [] });
    expect(nextTimerMs).toBeUndefined();
  });
}

function key(one: string): StateKey {
  return { kind: "order", id: one };
}
