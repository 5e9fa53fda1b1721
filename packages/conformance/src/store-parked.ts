import { saidBy, type Batch, type ParkedInput } from "@waybill/messaging";
import { expect, test } from "vitest";
import { commit, id, limit, owned, parkedInput, parkedKey, sorted, type OpenStore } from "./store-fixture.ts";
import { hex } from "./transport-fixture.ts";

export function parkedCases(open: OpenStore): void {
  test("parked inputs of a key come in order, behind the one asked for, and no more than were asked for", async () => {
    await using it = await open();
    const row = await commit(
      it.store,
      await owned(it.store),
      parking({ added: [parkedInput("a", 5), parkedInput("a", 2), parkedInput("b", 3)] }),
    );
    await commit(it.store, row, parking({ added: [parkedInput("a", 11)] }));
    expect(numbers(await it.peer.parked("orders", 0, "a", 0, limit))).toEqual([2, 5, 11]);
    expect(numbers(await it.peer.parked("orders", 0, "a", 2, limit))).toEqual([5, 11]);
    expect(numbers(await it.peer.parked("orders", 0, "a", 0, 2))).toEqual([2, 5]);
    expect(await it.peer.parked("orders", 0, "nobody", 0, limit)).toEqual([]);
  });

  const bodies: Record<string, ParkedInput["body"]> = {
    JSON: '{"a":"😀"}',
    "an escaped NUL and a lone surrogate": JSON.stringify("\u0000\ud800"),
    "an empty text": "",
    "bytes that are no text": new Uint8Array([0xff, 0x00, 0xfe, 0xc3, 0x28]),
    "no bytes": new Uint8Array(0),
  };
  for (const [name, body] of Object.entries(bodies)) {
    test(`a parked input whose body is ${name} comes back whole`, async () => {
      await using it = await open();
      const whole = parkedInput("größe 😀", 2 ** 40, {
        partition: 2,
        kind: "result",
        type: "authorise",
        headers: '{"a":"ü"}',
        body,
      });
      await commit(it.store, await owned(it.store), parking({ added: [whole] }));
      const found = await it.store.parked("orders", 2, "größe 😀", 0, limit);
      expect(found.map((row) => ({ ...row, body: hex(row.body) }))).toEqual([{ ...whole, body: hex(body) }]);
    });
  }

  test("a removed input is gone and the others keep their order", async () => {
    await using it = await open();
    const row = await commit(
      it.store,
      await owned(it.store),
      parking({ added: [1, 2, 3].map((seq) => parkedInput("a", seq)) }),
    );
    await commit(
      it.store,
      row,
      parking({
        removed: [
          { partition: 0, key: "a", seq: 2 },
          { partition: 0, key: "a", seq: 9 },
        ],
      }),
    );
    expect(numbers(await it.store.parked("orders", 0, "a", 0, limit))).toEqual([1, 3]);
  });

  test("an input moves to the end of its queue in one batch", async () => {
    await using it = await open();
    const row = await commit(
      it.store,
      await owned(it.store),
      parking({ added: [parkedInput("a", 1), parkedInput("a", 2)] }),
    );
    const again = parkedInput("a", 7, { id: "m-1" });
    await commit(it.store, row, parking({ added: [again], removed: [{ partition: 0, key: "a", seq: 1 }] }));
    expect((await it.store.parked("orders", 0, "a", 0, limit)).map((one) => one.id)).toEqual(["m-2", "m-1"]);
  });

  test("parked keys are known to the service, and to the new owner of their lane", async () => {
    await using it = await open();
    const zero = parkedKey("a", { partition: 2, dueMs: 1_800_000_000_500, attempts: 4 });
    const one = parkedKey("b", { partition: 1 });
    await commit(it.store, await owned(it.store, 0), parking({ keys: [zero] }));
    await commit(it.store, await owned(it.store, 1), parking({ keys: [one] }));
    await owned(it.store, 0, "billing");
    expect(sorted(await it.peer.parkedKeys("orders"))).toEqual(sorted([zero, one]));
    expect((await it.peer.recover(id(0))).parkedKeys).toEqual([zero]);
    expect((await it.peer.recover(id(1))).parkedKeys).toEqual([one]);
    expect(await it.peer.parkedKeys("billing")).toEqual([]);
  });

  test("a parked key is replaced whole, and its due time can go", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), parking({ keys: [parkedKey("a", { dueMs: 500 })] }));
    const next = parkedKey("a", { attempts: 2, build: "build-2", error: "ü\n2", fingerprint: "other" });
    await commit(it.store, row, parking({ keys: [next] }));
    expect(await it.store.parkedKeys("orders")).toEqual([next]);
    expect((await it.store.parkedKeys("orders"))[0]!.dueMs).toBeUndefined();
  });

  test("a released key is gone, and others with its name in other partitions stay", async () => {
    await using it = await open();
    const other = parkedKey("a", { partition: 2 });
    const row = await commit(
      it.store,
      await owned(it.store),
      parking({ keys: [parkedKey("a"), other, parkedKey("b")] }),
    );
    await commit(
      it.store,
      row,
      parking({
        released: [
          { partition: 0, key: "a" },
          { partition: 0, key: "never" },
        ],
      }),
    );
    expect(sorted(await it.store.parkedKeys("orders"))).toEqual(sorted([other, parkedKey("b")]));
  });

  test("what a door has seen is told apart by source and id", async () => {
    await using it = await open();
    const rows = [
      { source: "shop", id: "1", atMs: 10 },
      { source: "shop:1", id: "2", atMs: 10 },
      { source: "größe", id: "😀", atMs: 10 },
    ];
    await commit(it.store, await owned(it.store), { seen: rows });
    const asked = [
      ...rows.map(({ source, id: of }) => ({ source, id: of })),
      { source: "shop", id: "2" },
      { source: "shop", id: "1:2" },
    ];
    expect(sorted(await it.peer.seen("orders", asked))).toEqual(sorted(asked.slice(0, 3)));
    expect(await it.peer.seen("orders", [])).toEqual([]);
  });

  test("a new owner is told what its lane had said already, and nothing of another's", async () => {
    await using it = await open();
    const seen = [
      { source: saidBy(id(0)), id: "order.placed\nm-1", atMs: 10 },
      { source: saidBy(id(0)), id: "order.placed\ngröße-😀", atMs: 10 },
      { source: saidBy(id(1)), id: "order.placed\nm-2", atMs: 10 },
      { source: "shop", id: "m-3", atMs: 10 },
    ];
    await commit(it.store, await owned(it.store), { seen });
    expect((await it.peer.recover(id(0))).said.toSorted()).toEqual([seen[0]!.id, seen[1]!.id].toSorted());
    expect((await it.store.recover(id(1))).said).toEqual([seen[2]!.id]);
  });

  test("services do not share what their doors have seen", async () => {
    await using it = await open();
    await owned(it.store, 0, "billing");
    await commit(it.store, await owned(it.store), { seen: [{ source: "shop", id: "1", atMs: 10 }] });
    expect(await it.store.seen("billing", [{ source: "shop", id: "1" }])).toEqual([]);
    expect(await it.store.forgetSeen("billing", 1000, limit)).toBe(0);
    expect(await it.store.seen("orders", [{ source: "shop", id: "1" }])).toHaveLength(1);
  });

  test("what was seen before a time is forgotten, no more at once than the limit", async () => {
    await using it = await open();
    const seen = Array.from({ length: 10 }, (_, at) => ({ source: "shop", id: String(at), atMs: 1000 + at }));
    await commit(it.store, await owned(it.store), { seen });
    expect(await it.store.forgetSeen("orders", 1007, 4)).toBe(4);
    expect(await it.store.forgetSeen("orders", 1007, 4)).toBe(3);
    expect(await it.store.forgetSeen("orders", 1007, 4)).toBe(0);
    const left = await it.store.seen(
      "orders",
      seen.map(({ source, id: of }) => ({ source, id: of })),
    );
    expect(left.map((one) => one.id).toSorted()).toEqual(["7", "8", "9"]);
  });
}

function parking(change: Partial<Batch["parked"]>): Pick<Batch, "parked"> {
  return { parked: { added: [], removed: [], keys: [], released: [], ...change } };
}

function numbers(rows: readonly ParkedInput[]): number[] {
  return rows.map((row) => row.seq);
}
