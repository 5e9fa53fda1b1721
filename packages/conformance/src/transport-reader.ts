import type { Append, Position, StoredMessage, Transport } from "@waybill/messaging";
import { expect, test } from "vitest";
import {
  bodySize,
  fetched,
  fill,
  ids,
  message,
  messages,
  nameOf,
  readerToEnd,
  readOn,
  spec,
  start,
  starts,
  stored,
  wide,
  type OpenTransport,
} from "./transport-fixture.ts";

export function readerCases(open: OpenTransport): void {
  test("a reader over many partitions returns each message of each once, in order of offset", async () => {
    await using it = await open();
    await declareAndFill(it.transport);
    const { messages: found } = await readOn(it.transport, everywhere, {
      messages: 7,
      bytes: 1e9,
      waitMs: 0,
    });
    expect(ids(found).toSorted()).toEqual([...ids(all)].toSorted());
    for (const list of Map.groupBy(found, nameOf).values())
      expect(offsetsOf(list)).toEqual(offsetsOf(list).toSorted((a, b) => a - b));
  });

  test("a reader goes on where the positions say", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 6);
    await using reader = it.transport.reader([start("orders")]);
    const first = await fetched(reader, { ...wide, messages: 4 });
    const { messages: rest } = await readOn(it.transport, first.next);
    expect([...ids(first.messages), ...ids(rest)]).toEqual(ids(messages(1, 6)));
  });

  test("a position names the log, the next offset, and the message read last", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const { logId, lastOffset } = await fill(it.transport, "orders", 1, 3);
    await using reader = it.transport.reader([start("orders")]);
    const { next } = await fetched(reader);
    expect(next).toHaveLength(1);
    expect(next[0]).toMatchObject({
      topic: "orders",
      partition: 0,
      logId,
      lastOffset,
      lastId: "m-3",
    });
    expect(next[0]!.nextOffset).toBeGreaterThan(lastOffset);
  });

  test("a position half-way is behind what was returned and not behind what was not", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 5);
    await using reader = it.transport.reader([start("orders")]);
    const { messages: found, next } = await fetched(reader, { ...wide, messages: 2 });
    const last = found.at(-1)!;
    expect(next[0]).toMatchObject({ lastOffset: last.offset, lastId: last.id });
    expect(next[0]!.nextOffset).toBeGreaterThan(last.offset);
    const following = (await readOn(it.transport, [start("orders")])).messages[found.length]!;
    expect(next[0]!.nextOffset).toBeLessThanOrEqual(following.offset);
  });

  test("only partitions that moved have a new position", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 4));
    await using reader = it.transport.reader(starts("orders", 4));
    const { positions } = await readerToEnd(reader, starts("orders", 4));
    await stored(it.transport, [{ topic: "orders", partition: 2, messages: messages(1, 1) }]);
    const { next } = await fetched(reader);
    expect(next.map(nameOf)).toContain("orders/2");
    for (const position of next) {
      const before = positions.find((one) => nameOf(one) === nameOf(position))!;
      expect(position.nextOffset).toBeGreaterThan(before.nextOffset);
    }
    expect((await fetched(reader)).next).toEqual([]);
  });

  test("messages behind a hole are found", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await it.leaveHole("orders", 0);
    await fill(it.transport, "orders", 1, 2);
    await it.leaveHole("orders", 0);
    await it.leaveHole("orders", 0);
    await fill(it.transport, "orders", 3, 4);
    const { messages: found } = await readOn(it.transport, [start("orders")], {
      ...wide,
      messages: 1,
    });
    expect(ids(found)).toEqual(["m-1", "m-2", "m-3", "m-4"]);
    expect(found[2]!.offset).toBeGreaterThan(found[1]!.offset + 1);
  });

  test("a position moves past what is not a message, so that nothing seems unread", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 2);
    await it.leaveHole("orders", 0);
    const [bounds] = await it.transport.bounds("orders");
    const { positions } = await readOn(it.transport, [start("orders")]);
    expect(positions[0]!.nextOffset).toBeGreaterThanOrEqual(bounds!.nextOffset);
    expect(positions[0]!.lastId).toBe("m-2");
  });

  test("a partition of a topic that never held a message is read from 0, whatever the others hold", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 4));
    await fill(it.transport, "orders", 1, 50);
    const { messages: found } = await readOn(it.transport, [start("orders", 3)]);
    expect(found).toEqual([]);
    await stored(it.transport, [{ topic: "orders", partition: 3, messages: messages(51, 51) }]);
    expect(ids((await readOn(it.transport, [start("orders", 3)])).messages)).toEqual(["m-51"]);
  });

  test("no fetch returns more messages than its limit", async () => {
    await using it = await open();
    await declareAndFill(it.transport);
    await using reader = it.transport.reader(everywhere);
    for (const limit of [1, 5, 12])
      expect((await fetched(reader, { ...wide, messages: limit })).messages.length).toBeLessThanOrEqual(limit);
  });

  test("no fetch of several messages returns more bytes than its limit", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await stored(it.transport, [{ topic: "orders", partition: 0, messages: large(10, 1000) }]);
    await using reader = it.transport.reader([start("orders")]);
    const { messages: found, atEnd } = await fetched(reader, {
      messages: 100,
      bytes: 3500,
      waitMs: 0,
    });
    expect(found.length).toBeGreaterThan(0);
    expect(bodySize(found)).toBeLessThanOrEqual(3500);
    expect(atEnd).toEqual([]);
  });

  test("a message that alone passes the limit of bytes is returned, alone", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await stored(it.transport, [{ topic: "orders", partition: 0, messages: large(3, 5000) }]);
    await using reader = it.transport.reader([start("orders")]);
    const seen: StoredMessage[] = [];
    for (let call = 1; call <= 3; call++) {
      const { messages: found } = await fetched(reader, { messages: 100, bytes: 10, waitMs: 0 });
      expect(found).toHaveLength(1);
      seen.push(...found);
    }
    expect(ids(seen)).toEqual(["m-1", "m-2", "m-3"]);
  });

  test("a fetch returns a message when there is one, although it may not wait", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 4));
    await stored(it.transport, [{ topic: "orders", partition: 3, messages: messages(1, 1) }]);
    await using reader = it.transport.reader(starts("orders", 4));
    expect((await fetched(reader)).messages).toHaveLength(1);
  });

  test("atEnd lists the partitions read to their end and no others", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 2));
    await fill(it.transport, "orders", 1, 5);
    await using reader = it.transport.reader(starts("orders", 2));
    const first = await fetched(reader, { ...wide, messages: 2 });
    expect(first.atEnd.map(nameOf)).not.toContain("orders/0");
    const { messages: rest } = await readerToEnd(reader, starts("orders", 2));
    expect(rest).toHaveLength(3);
    const last = await fetched(reader);
    expect(last.atEnd.map(nameOf).toSorted()).toEqual(["orders/0", "orders/1"]);
  });

  test("a partition is no longer listed in atEnd when more was appended than was fetched", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await using reader = it.transport.reader([start("orders")]);
    await readerToEnd(reader, [start("orders")]);
    await fill(it.transport, "orders", 1, 3);
    const { atEnd } = await fetched(reader, { ...wide, messages: 1 });
    expect(atEnd).toEqual([]);
  });

  test("a partition that is always full does not starve the others of its topic", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 4));
    for (let round = 0; round < 20; round++) await stored(it.transport, unevenRound(round));
    await using reader = it.transport.reader(starts("orders", 4));
    const found: StoredMessage[] = [];
    for (let call = 0; call < 20; call++) found.push(...(await fetched(reader, { ...wide, messages: 10 })).messages);
    const counts = Map.groupBy(found, (one) => one.partition);
    for (const partition of [0, 1, 2, 3]) expect(counts.get(partition)?.length ?? 0).toBeGreaterThanOrEqual(5);
  });

  test("a topic with a long backlog does not starve another topic", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 1));
    await it.transport.declare(spec("payments", 1));
    await fill(it.transport, "orders", 1, 500);
    await fill(it.transport, "payments", 1, 5);
    await using reader = it.transport.reader([start("orders"), start("payments")]);
    const found: StoredMessage[] = [];
    for (let call = 0; call < 20; call++) found.push(...(await fetched(reader, { ...wide, messages: 10 })).messages);
    expect(found.filter((one) => one.topic === "payments")).toHaveLength(5);
  });

  test("nothing is fetched from a topic in `except`, and nothing of it is lost", async () => {
    await using it = await open();
    await declareAndFill(it.transport);
    await using reader = it.transport.reader(everywhere);
    const without = { ...wide, except: new Set(["orders"]) };
    const first = await fetched(reader, without);
    expect(first.messages.every((one) => one.topic === "payments")).toBe(true);
    expect(first.next.every((one) => one.topic === "payments")).toBe(true);
    const { messages: rest } = await readerToEnd(reader, everywhere);
    expect(ids([...first.messages, ...rest]).toSorted()).toEqual(ids(all).toSorted());
  });

  test("a topic may be excepted between two fetches of it", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 1));
    await fill(it.transport, "orders", 1, 6);
    await using reader = it.transport.reader([start("orders")]);
    const first = await fetched(reader, { ...wide, messages: 3 });
    expect((await fetched(reader, { ...wide, except: new Set(["orders"]) })).messages).toEqual([]);
    const last = await readerToEnd(reader, [start("orders")]);
    expect([...ids(first.messages), ...ids(last.messages)]).toEqual(ids(messages(1, 6)));
  });

  test("two readers of one partition each read all of it", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 6);
    await using one = it.transport.reader([start("orders")]);
    await using other = it.transport.reader([start("orders")]);
    const limits = { ...wide, messages: 2 };
    await fetched(one, limits);
    const [first, second] = await Promise.all([
      readerToEnd(one, [start("orders")], limits),
      readerToEnd(other, [start("orders")], limits),
    ]);
    expect(ids(first.messages)).toEqual(["m-3", "m-4", "m-5", "m-6"]);
    expect(ids(second.messages)).toEqual(ids(messages(1, 6)));
  });

  test("what is appended while a partition is read is read, in order", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await using reader = it.transport.reader([start("orders")]);
    const found: StoredMessage[] = [];
    for (let n = 1; n <= 30; n += 3) {
      await fill(it.transport, "orders", n, n + 2);
      found.push(...(await fetched(reader, { ...wide, messages: 2 })).messages);
    }
    found.push(...(await readerToEnd(reader, [start("orders")])).messages);
    expect(ids(found)).toEqual(ids(messages(1, 30)));
  });

  test("a reader over nothing returns nothing", async () => {
    await using it = await open();
    await using reader = it.transport.reader([]);
    expect(await fetched(reader)).toEqual({ messages: [], next: [], atEnd: [] });
  });
}

const everywhere: readonly Position[] = [...starts("orders", 4), ...starts("payments", 4)];

const filling: readonly Append[] = ["orders", "payments"].flatMap((topic) =>
  [0, 1, 3].map((partition) => ({
    topic,
    partition,
    messages: messages(1, 8).map((one) => ({ ...one, id: `${topic}-${partition}-${one.id}` })),
  })),
);

const all = filling.flatMap((batch) => batch.messages);

async function declareAndFill(transport: Transport): Promise<void> {
  await transport.declare(spec("orders", 4));
  await transport.declare(spec("payments", 4));
  await stored(transport, filling);
}

/** Twenty messages for partition 0 and one for each other. */
function unevenRound(round: number): Append[] {
  return [0, 1, 2, 3].map((partition) => {
    const count = partition === 0 ? 20 : 1;
    return {
      topic: "orders",
      partition,
      messages: messages(round * count + 1, (round + 1) * count),
    };
  });
}

function large(count: number, bytes: number): readonly ReturnType<typeof message>[] {
  return Array.from({ length: count }, (_, at) => message(at + 1, { body: "x".repeat(bytes) }));
}

function offsetsOf(list: readonly StoredMessage[]): number[] {
  return list.map((one) => one.offset);
}
