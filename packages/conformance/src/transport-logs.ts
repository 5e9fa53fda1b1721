import type { Position, WaybillError } from "@waybill/messaging";
import { expect, test } from "vitest";
import {
  failure,
  fetched,
  fill,
  ids,
  message,
  messages,
  nextMessages,
  readAll,
  readerToEnd,
  readOn,
  spec,
  start,
  starts,
  stored,
  type OpenTransport,
  type TransportUnderTest,
} from "./transport-fixture.ts";

export function logCases(open: OpenTransport): void {
  test("a topic made anew is empty, takes messages, and has another log id", async () => {
    await using it = await open();
    const { positions } = await declaredAndRead(it);
    await it.recreate("orders");
    const [bounds] = await it.transport.bounds("orders");
    expect(bounds!.logId).not.toBe(positions[0]!.logId);
    expect(await readAll(it.transport, "orders")).toEqual([]);
    await fill(it.transport, "orders", 7, 7);
    expect(ids(await readAll(it.transport, "orders"))).toEqual(["m-7"]);
  });

  test("a position of a log that was made anew is refused, although it lies past the end", async () => {
    await using it = await open();
    const { positions } = await declaredAndRead(it);
    await it.recreate("orders");
    expect(await refusalOf(it, positions)).toMatchObject(ordersChanged);
  });

  test("a position of a log that was made anew is refused, although the new one has grown past it", async () => {
    await using it = await open();
    const { positions } = await declaredAndRead(it);
    await it.recreate("orders");
    await fill(it.transport, "orders", 11, 30);
    expect(await refusalOf(it, positions)).toMatchObject(ordersChanged);
  });

  test("a position of a log that was made anew is refused, although the new one holds the same messages", async () => {
    await using it = await open();
    const { positions } = await declaredAndRead(it);
    await it.recreate("orders");
    await fill(it.transport, "orders", 1, 7);
    expect(await refusalOf(it, positions)).toMatchObject(ordersChanged);
  });

  test("a position behind the end is refused, although it does not say what was read last", async () => {
    await using it = await open();
    const { positions } = await declaredAndRead(it);
    const { topic, partition, logId, nextOffset } = positions[0]!;
    await it.loseTail("orders", 0, 2);
    expect(await refusalOf(it, [{ topic, partition, logId, nextOffset }])).toMatchObject(ordersChanged);
  });

  test("a reader that is open while its log is made anew does not wait silently", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 5);
    await using reader = it.transport.reader([start("orders")]);
    await readerToEnd(reader, [start("orders")]);
    await it.recreate("orders");
    await fill(it.transport, "orders", 1, 1);
    expect((await failure(nextMessages(reader))).code).toBe("LOG_CHANGED");
  });

  test("a position behind the end of a log that lost its tail is refused", async () => {
    await using it = await open();
    const { positions } = await declaredAndRead(it);
    await it.loseTail("orders", 0, 2);
    expect(await refusalOf(it, positions)).toMatchObject(ordersChanged);
  });

  test("a position is refused when another message is at its last offset", async () => {
    await using it = await open();
    const { positions } = await declaredAndRead(it);
    await it.loseTail("orders", 0, 2);
    await fill(it.transport, "orders", 21, 25);
    expect(await refusalOf(it, positions)).toMatchObject(ordersChanged);
  });

  test("a position before what was lost is read on", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 3);
    const { positions } = await readOn(it.transport, [start("orders")]);
    await fill(it.transport, "orders", 4, 6);
    await it.loseTail("orders", 0, 2);
    await fill(it.transport, "orders", 7, 7);
    expect(ids((await readOn(it.transport, positions)).messages)).toEqual(["m-4", "m-7"]);
  });

  test("a log that is the same is read on, by a new instance too", async () => {
    await using it = await open();
    const { positions } = await declaredAndRead(it);
    await fill(it.transport, "orders", 6, 7);
    const again = await it.reopen();
    expect(ids((await readOn(again, positions)).messages)).toEqual(["m-6", "m-7"]);
  });

  test("the error names the topic and the partition that changed, among others that did not", async () => {
    await using it = await open();
    await it.transport.declare(spec("payments", 2));
    await stored(it.transport, [{ topic: "payments", partition: 1, messages: messages(1, 3) }]);
    const { positions } = await declaredAndRead(it);
    const others = await readOn(it.transport, starts("payments", 2));
    await it.loseTail("payments", 1, 1);
    const error = await failure(readOn(it.transport, [...positions, ...others.positions]));
    expect(error).toMatchObject({
      code: "LOG_CHANGED",
      details: { topic: "payments", partition: 1 },
    });
  });

  test("a position before the first offset kept is refused, never moved on", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 2);
    const { positions } = await readOn(it.transport, [start("orders")]);
    await fill(it.transport, "orders", 3, 9);
    await dropThrough(it, "m-5");
    const error = await failure(readOn(it.transport, positions));
    expect(error).toMatchObject({
      code: "RETENTION_PASSED",
      details: { topic: "orders", partition: 0 },
    });
  });

  test("a position before the first offset kept is refused when nothing is left", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 2);
    const { positions } = await readOn(it.transport, [start("orders")]);
    await fill(it.transport, "orders", 3, 5);
    await dropThrough(it, "m-5");
    expect((await failure(readOn(it.transport, positions))).code).toBe("RETENTION_PASSED");
  });

  test("a reader that retention overtakes is told", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 9);
    await using reader = it.transport.reader([start("orders")]);
    const first = await fetched(reader, { messages: 1, bytes: 1e6, waitMs: 0 });
    expect(ids(first.messages)).toEqual(["m-1"]);
    const behind = first.next;
    await dropThrough(it, "m-7");
    expect((await failure(readOn(it.transport, behind))).code).toBe("RETENTION_PASSED");
  });

  test("a position at the first offset kept is read on, although what it read last is gone", async () => {
    await using it = await open();
    const { positions } = await declaredAndRead(it);
    await fill(it.transport, "orders", 6, 8);
    await dropThrough(it, "m-5");
    expect(ids((await readOn(it.transport, positions)).messages)).toEqual(["m-6", "m-7", "m-8"]);
  });

  test("a position at the end is read on after everything before it is gone", async () => {
    await using it = await open();
    const { positions } = await declaredAndRead(it);
    await dropThrough(it, "m-5");
    expect((await readOn(it.transport, positions)).messages).toEqual([]);
    await fill(it.transport, "orders", 6, 6);
    expect(ids((await readOn(it.transport, positions)).messages)).toEqual(["m-6"]);
  });

  test("what is no longer kept is not in the bounds and cannot be read", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 6);
    const all = await readAll(it.transport, "orders");
    await dropThrough(it, "m-4");
    const [bounds] = await it.transport.bounds("orders", 0);
    expect(bounds!.firstOffset).toBeGreaterThan(all[3]!.offset);
    expect(bounds!.firstOffset).toBeLessThanOrEqual(all[4]!.offset);
    expect(bounds!.offsetAt).toBe(all[4]!.offset);
    expect(await it.transport.read("orders", 0, all[3]!.offset)).toBeUndefined();
    expect((await it.transport.read("orders", 0, all[4]!.offset))?.id).toBe("m-5");
  });

  test("a position in a partition in which nothing is written stays within its bounds, however far the others go", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 3));
    await fill(it.transport, "orders", 1, 3);
    const { positions: early } = await readOn(it.transport, starts("orders", 3));
    for (let first = 4; first < 6_000; first += 1_000) await fill(it.transport, "orders", first, first + 999);
    const { positions: late } = await readOn(it.transport, early);
    const bounds = await (await it.reopen()).bounds("orders");
    for (const { partition, logId, nextOffset } of [...early, ...late]) {
      if (logId === "") continue;
      expect(nextOffset).toBeGreaterThanOrEqual(bounds[partition]!.firstOffset);
      expect(nextOffset).toBeLessThanOrEqual(bounds[partition]!.nextOffset);
    }
  });

  test("an offset is never used again after everything was dropped", async () => {
    await using it = await open();
    const { positions } = await declaredAndRead(it);
    await dropThrough(it, "m-5");
    const { firstOffset } = await fill(it.transport, "orders", 6, 6);
    expect(firstOffset).toBeGreaterThan(positions[0]!.lastOffset!);
  });

  test("an offset is never used again after everything was dropped and the transport was opened anew", async () => {
    await using it = await open();
    const { positions } = await declaredAndRead(it);
    await dropThrough(it, "m-5");
    const again = await it.reopen();
    const [bounds] = await again.bounds("orders");
    expect(bounds!.firstOffset).toBe(bounds!.nextOffset);
    const [result] = await stored(again, [{ topic: "orders", partition: 0, messages: [message(6)] }]);
    expect(result!.firstOffset).toBeGreaterThan(positions[0]!.lastOffset!);
    expect(ids((await readOn(again, positions)).messages)).toEqual(["m-6"]);
  });
}

/** Five messages, appended and read. */
async function declaredAndRead(it: TransportUnderTest): Promise<{ positions: readonly Position[] }> {
  await it.transport.declare(spec("orders"));
  await fill(it.transport, "orders", 1, 5);
  return await readOn(it.transport, [start("orders")]);
}

/** Drops everything up to the message with this id, itself included. */
async function dropThrough(it: TransportUnderTest, id: string): Promise<void> {
  const last = (await readAll(it.transport, "orders")).find((one) => one.id === id)!;
  await it.dropBefore("orders", 0, last.offset + 1);
}

const ordersChanged = { code: "LOG_CHANGED", details: { topic: "orders", partition: 0 } };

async function refusalOf(it: TransportUnderTest, positions: readonly Position[]): Promise<WaybillError> {
  return await failure(readOn(it.transport, positions));
}
