import type { Batch, LaneRow, OutgoingMessage, Store, Transport } from "@waybill/messaging";
import { describe, expect, test } from "vitest";
import {
  batch,
  claimed,
  commit,
  farMs,
  id,
  limit,
  none,
  outgoing,
  owned,
  position,
  refusal,
  state,
} from "./store-fixture.ts";
import { ids, nextMessages, plain, readAll, readerToEnd, spec, start, stored } from "./transport-fixture.ts";

/** A store and the transport whose logs lie in it. */
export interface HostingUnderTest extends AsyncDisposable {
  readonly store: Store;
  readonly transport: Transport;
  /** As kill -9 and a new start: what is not durable may be gone. What was given before is not used any more. */
  crash(): Promise<{ readonly store: Store; readonly transport: Transport }>;
}

/** Opens an engine of its own for one case. */
export type OpenHosting = () => Promise<HostingUnderTest>;

/** Tries what a store promises that keeps logs itself: a batch's messages are in their logs when its states are kept. */
export function testHosting(name: string, open: OpenHosting): void {
  describe(`${name} hosts topics as a store promises`, () => {
    placeCases(open);
    togetherCases(open);
  });
}

function placeCases(open: OpenHosting): void {
  test("a store hosts the topics that its transport has, and no others", async () => {
    await using it = await open();
    expect(it.store.hosts("payments")).toBe(false);
    await it.transport.declare(spec("payments"));
    expect(it.store.hosts("payments")).toBe(true);
    expect(it.store.hosts("shipments")).toBe(false);
  });

  test("a batch's messages are in the log in order, whole, and in no outbox", async () => {
    await using it = await open();
    const row = await ready(it);
    const messages = [outgoing(1, 0), outgoing(2, 1, { body: new Uint8Array([0xff, 0, 0xc3]) }), outgoing(3, 2)];
    await commit(it.store, row, { count: 3, messages });
    expect((await readAll(it.transport, "payments")).map(plain)).toEqual(messages.map(plain));
    expect(await it.store.outbox(id(0), { topic: "payments", partition: 0 }, 0, limit)).toEqual([]);
    expect((await it.store.recover(id(0))).outbox).toEqual([]);
  });

  test("messages of one batch go each to its own place: a log here, or the outbox", async () => {
    await using it = await open();
    const row = await ready(it);
    const messages = [
      outgoing(1, 0),
      outgoing(2, 0, { topic: "shipments" }),
      outgoing(3, 0, { partition: 2 }),
      outgoing(4, 1),
    ];
    await commit(it.store, row, { count: 4, messages });
    expect(ids(await readAll(it.transport, "payments", 0))).toEqual(["out-1", "out-4"]);
    expect(ids(await readAll(it.transport, "payments", 2))).toEqual(["out-3"]);
    const outside = await it.store.outbox(id(0), { topic: "shipments", partition: 0 }, 0, limit);
    expect(ids(outside)).toEqual(["out-2"]);
  });

  test("messages can be read as soon as their batch is applied", async () => {
    await using it = await open();
    const row = await ready(it);
    const { applied, durable } = it.store.commit(sending(row, 1));
    await applied;
    expect(ids(await readAll(it.transport, "payments"))).toEqual(["out-1"]);
    await durable;
  });

  test("a reader that waits is woken by a commit", async () => {
    await using it = await open();
    const row = await ready(it);
    await using reader = it.transport.reader([start("payments")]);
    await readerToEnd(reader, [start("payments")]);
    const waiting = nextMessages(reader);
    await commit(it.store, row, sending(row, 1));
    expect(ids((await waiting).messages)).toEqual(["out-1"]);
  });

  test("commits and appends share a log without sharing an offset", async () => {
    await using it = await open();
    let row = await ready(it);
    for (let n = 1; n <= 9; n += 2) {
      row = await commit(it.store, row, sending(row, n));
      await stored(it.transport, [{ topic: "payments", partition: 0, messages: [outgoing(n + 1, n)] }]);
    }
    const found = await readAll(it.transport, "payments");
    expect(ids(found)).toEqual(Array.from({ length: 10 }, (_, at) => `out-${at + 1}`));
    expect(new Set(found.map((one) => one.offset)).size).toBe(10);
  });

  test("lanes that send to one partition at once each keep their order, and nothing is lost", async () => {
    await using it = await open();
    const rows = [await ready(it), await owned(it.store, 1)];
    await Promise.all(rows.map((row) => sendTwenty(it.store, row)));
    const found = await readAll(it.transport, "payments");
    expect(found).toHaveLength(40);
    for (const row of rows) {
      const own = found.filter(({ stamp }) => stamp!.source === row.source);
      expect(own.map(({ stamp }) => stamp!.n)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    }
  });
}

function togetherCases(open: OpenHosting): void {
  test("a batch of a former owner puts nothing into a log", async () => {
    await using it = await open();
    const former = await ready(it);
    await claimed(it.store, 0, "a");
    expect(await refusal(it.store, sending(former, 1))).toBe("NOT_OWNER");
    expect(await readAll(it.transport, "payments")).toEqual([]);
  });

  test("a batch that is committed again puts nothing into a log", async () => {
    await using it = await open();
    const row = await ready(it);
    await commit(it.store, row, sending(row, 1));
    expect(await refusal(it.store, sending(row, 1))).toBe("NOT_OWNER");
    expect(ids(await readAll(it.transport, "payments"))).toEqual(["out-1"]);
  });

  test("a batch with a conflict puts nothing into a log, and the next goes where it would have gone", async () => {
    await using it = await open();
    const row = await ready(it);
    expect(await refusal(it.store, { ...sending(row, 1), states: [state("1", 7)] })).toBe("STATE_CONFLICT");
    expect(await readAll(it.transport, "payments")).toEqual([]);
    await commit(it.store, row, sending(row, 2));
    expect(ids(await readAll(it.transport, "payments"))).toEqual(["out-2"]);
  });

  test("what is durable is in the log after a crash, and is read on from where it was", async () => {
    await using it = await open();
    const row = await commitTwice(it.store, await ready(it));
    await using reader = it.transport.reader([start("payments")]);
    const { positions } = await readerToEnd(reader, [start("payments")]);
    const after = await it.crash();
    expect(ids(await readAll(after.transport, "payments"))).toEqual(["out-1", "out-2"]);
    await commit(after.store, row, counting(row, 3));
    await using again = after.transport.reader(positions);
    expect(ids((await readerToEnd(again, positions)).messages)).toEqual(["out-3"]);
  });

  test("state, position and message never part, however many batches are under way at a crash", async () => {
    await using it = await open();
    const row = await ready(it);
    for (let n = 1; n <= 10; n++) {
      const { applied, durable } = it.store.commit({ ...counting(row, n), batch: row.batch + n - 1 });
      void Promise.allSettled([durable]);
      await applied;
    }
    const { store, transport } = await it.crash();
    const version = (await store.load("orders", [{ kind: "order", id: "count" }]))[0]?.version ?? 0;
    const offset = (await store.recover(id(0))).positions.find((one) => one.topic === "orders")?.nextOffset ?? 0;
    expect([offset, (await readAll(transport, "payments")).length]).toEqual([version, version]);
    expect(await store.effectHeads(id(0), farMs, limit, none)).toEqual([]);
  });
}

/** Declares the hosted topic and claims a lane. */
async function ready(it: HostingUnderTest): Promise<LaneRow> {
  await it.transport.declare(spec("payments"));
  return await owned(it.store);
}

/** A batch that says `n`. */
function sending(row: LaneRow, n: number): Batch {
  return batch(row, { count: 1, messages: [from(row, n)] });
}

/** A batch that counts to `n`, having read up to there, and says so. */
function counting(row: LaneRow, n: number): Batch {
  return { ...sending(row, n), positions: [position("orders", row.lane, n)], states: [state("count", n)] };
}

function from(row: LaneRow, n: number): OutgoingMessage {
  return outgoing(n, n - 1, { stamp: { source: row.source, n, prev: n - 1 } });
}

async function commitTwice(store: Store, row: LaneRow): Promise<LaneRow> {
  const between = await commit(store, row, counting(row, 1));
  return await commit(store, between, counting(between, 2));
}

async function sendTwenty(store: Store, row: LaneRow): Promise<void> {
  const durables: Promise<void>[] = [];
  for (let n = 1; n <= 20; n++) {
    const { applied, durable } = store.commit(
      batch(row, { batch: row.batch + n - 1, count: 1, messages: [from(row, n)] }),
    );
    durables.push(durable);
    await applied;
  }
  await Promise.all(durables);
}
