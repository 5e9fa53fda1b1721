import type { Spool, ToSpool } from "@waybill/messaging";
import { describe, expect, test } from "vitest";
import { message } from "./transport-fixture.ts";

/** A spool to be tried, with nothing in it. */
export interface SpoolUnderTest extends AsyncDisposable {
  readonly spool: Spool;
  /** The same messages through another process. */
  readonly peer: Spool;
  /** Lets the database's clock go on: a virtual one is put forward, a real one waited for. */
  pass(ms: number): Promise<void>;
}

const longMs = 600_000;

function waiting(n: number, topic = "orders-in"): ToSpool {
  const { stamp: _, ...envelope } = message(n);
  return { ...envelope, topic, partition: n % 4 };
}

async function ids(spool: Spool, by = "a", limit = 100, except: readonly string[] = []): Promise<string[] | undefined> {
  return (await spool.take(by, limit, longMs, except))?.map(({ id }) => id);
}

/** Tries every promise of the Spool contract on an implementation. `open` is called once for each case. */
export function testSpool(name: string, open: () => Promise<SpoolUnderTest>): void {
  describe(`${name} keeps the spool's promises`, () => {
    test("what was put comes out as it was, in the order in which it was put", async () => {
      await using it = await open();
      const put = [1, 2, 3].map((n) => waiting(n));
      await it.spool.put(put.slice(0, 2));
      await it.spool.put(put.slice(2));
      const taken = await it.spool.take("a", 10, longMs, []);
      const seqs = taken!.map(({ seq }) => seq);
      expect(taken).toEqual(put.map((one, at) => ({ ...one, seq: seqs[at] })));
      expect(seqs).toEqual(seqs.toSorted((x, y) => x - y));
    });

    test("every text and every byte survives", async () => {
      await using it = await open();
      const texts = ["", "\u0000", "\ud800 alone", "💶 ü", '{"a":"\\u0000"}'];
      const bodies = [...texts, new Uint8Array([0, 255, 128])];
      await it.spool.put(bodies.map((body, at) => ({ ...waiting(at), body })));
      expect((await it.spool.take("a", 10, longMs, []))?.map(({ body }) => body)).toEqual(bodies);
    });

    test("no more are given than were asked for, and the same again until they are removed", async () => {
      await using it = await open();
      await it.spool.put([1, 2, 3, 4, 5].map((n) => waiting(n)));
      const taken = (await it.spool.take("a", 2, longMs, []))!;
      expect(taken.map(({ id }) => id)).toEqual(["m-1", "m-2"]);
      expect(await ids(it.spool, "a", 2)).toEqual(["m-1", "m-2"]);
      await it.spool.remove(taken.map(({ seq }) => seq));
      await it.spool.remove(taken.map(({ seq }) => seq));
      expect(await ids(it.spool)).toEqual(["m-3", "m-4", "m-5"]);
    });

    test("anybody may look at what waits for a partition, whoever has the lease", async () => {
      await using it = await open();
      const there = waiting(1);
      await it.spool.put([
        there,
        waiting(2, "stuck-in"),
        { ...waiting(3), partition: there.partition + 1 },
        waiting(5),
      ]);
      await it.spool.take("a", 10, longMs, []);
      const found = await it.spool.look(there.topic, there.partition, 10);
      expect(found.map(({ id }) => id)).toEqual(["m-1", "m-5"]);
      expect(found[0]).toMatchObject(there);
      expect(await it.spool.look(there.topic, there.partition, 1)).toHaveLength(1);
      await it.spool.remove(found.map(({ seq }) => seq));
      expect(await it.spool.look(there.topic, there.partition, 10)).toEqual([]);
    });

    test("topics that are not wanted stay, and the others come out past them", async () => {
      await using it = await open();
      await it.spool.put([waiting(1, "stuck-in"), waiting(2), waiting(3, "stuck-in"), waiting(4)]);
      expect(await ids(it.spool, "a", 1, ["stuck-in"])).toEqual(["m-2"]);
      expect(await ids(it.spool, "a", 10, ["stuck-in", "orders-in"])).toEqual([]);
      expect(await ids(it.spool)).toEqual(["m-1", "m-2", "m-3", "m-4"]);
    });

    test("while one process has a lease no other is given any, and it is told that there are some", async () => {
      await using it = await open();
      await it.spool.put([1, 2].map((n) => waiting(n)));
      expect(await ids(it.spool, "a", 1)).toEqual(["m-1"]);
      expect(await ids(it.peer, "b")).toBeUndefined();
      expect(await ids(it.peer, "b", 10, ["orders-in"])).toEqual([]);
      expect(await ids(it.spool, "a")).toEqual(["m-1", "m-2"]);
    });

    test("a lease ends by itself, and with the last message", async () => {
      await using it = await open();
      await it.spool.put([waiting(1)]);
      const [one] = (await it.spool.take("a", 10, 200, []))!;
      await it.pass(300);
      expect(await ids(it.peer, "b")).toEqual(["m-1"]);
      await it.peer.remove([one!.seq]);
      expect(await ids(it.peer, "b")).toEqual([]);
      await it.spool.put([waiting(2)]);
      expect(await ids(it.spool, "a")).toEqual(["m-2"]);
    });

    test("an empty spool has nothing to give", async () => {
      await using it = await open();
      expect(await ids(it.spool)).toEqual([]);
      await it.spool.remove([]);
    });
  });
}
