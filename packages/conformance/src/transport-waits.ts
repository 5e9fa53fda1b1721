import { codeOf, messageOf, type FetchLimits, type Reader } from "@waybill/messaging";
import { expect, test } from "vitest";
import {
  failure,
  fetched,
  fill,
  foreverMs,
  ids,
  nextMessages,
  readerToEnd,
  spec,
  start,
  stored,
  message,
  wide,
  type OpenTransport,
} from "./transport-fixture.ts";

const patient: FetchLimits = { ...wide, waitMs: foreverMs };

export function waitCases(open: OpenTransport): void {
  test("a fetch that waits ends when something is appended", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await using reader = it.transport.reader([start("orders")]);
    await readerToEnd(reader, [start("orders")]);
    const waiting = nextMessages(reader);
    await fill(it.transport, "orders", 1, 1);
    expect(ids((await waiting).messages)).toEqual(["m-1"]);
  });

  test("a fetch that waits ends when something is appended behind a hole", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 1);
    await using reader = it.transport.reader([start("orders")]);
    await readerToEnd(reader, [start("orders")]);
    const waiting = nextMessages(reader);
    await it.leaveHole("orders", 0);
    await fill(it.transport, "orders", 2, 2);
    expect(ids((await waiting).messages)).toEqual(["m-2"]);
  });

  test("a fetch that waits for several topics ends when one has something", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await it.transport.declare(spec("payments"));
    await using reader = it.transport.reader([start("orders"), start("payments", 2)]);
    const waiting = nextMessages(reader);
    await stored(it.transport, [{ topic: "payments", partition: 2, messages: [message(7)] }]);
    expect(ids((await waiting).messages)).toEqual(["m-7"]);
  });

  test("a fetch does not wait longer than it may", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await using reader = it.transport.reader([start("orders")]);
    const waiting = fetched(reader, { ...wide, waitMs: 20 });
    await it.pass(20);
    expect((await waiting).messages).toEqual([]);
  });

  test("an abort ends the wait with nothing", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await using reader = it.transport.reader([start("orders")]);
    await readerToEnd(reader, [start("orders")]);
    const stop = new AbortController();
    const waiting = fetched(reader, patient, stop.signal);
    stop.abort();
    expect((await waiting).messages).toEqual([]);
  });

  test("a signal that was aborted before the fetch ends the wait at once", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await using reader = it.transport.reader([start("orders")]);
    const { messages } = await fetched(reader, patient, AbortSignal.abort());
    expect(messages).toEqual([]);
  });

  test("an aborted wait loses nothing of what comes later", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await using reader = it.transport.reader([start("orders")]);
    const stop = new AbortController();
    const waiting = fetched(reader, patient, stop.signal);
    const filling = fill(it.transport, "orders", 1, 3);
    stop.abort();
    const early = await waiting;
    await filling;
    const { messages: rest } = await readerToEnd(reader, [start("orders")]);
    expect(ids([...early.messages, ...rest])).toEqual(["m-1", "m-2", "m-3"]);
  });

  test("closing a reader ends its wait", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const reader = it.transport.reader([start("orders")]);
    await readerToEnd(reader, [start("orders")]);
    const waiting = settled(reader);
    await reader[Symbol.asyncDispose]();
    expect(["CLOSED", "nothing"]).toContain(await waiting);
  });

  test("a closed reader fetches nothing more, and the transport goes on", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 1);
    const reader = it.transport.reader([start("orders")]);
    await reader[Symbol.asyncDispose]();
    await reader[Symbol.asyncDispose]();
    expect((await failure(fetched(reader))).code).toBe("CLOSED");
    await using other = it.transport.reader([start("orders")]);
    expect((await readerToEnd(other, [start("orders")])).messages).toHaveLength(1);
  });

  test("closing the transport ends a reader's wait", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const reader = it.transport.reader([start("orders")]);
    await readerToEnd(reader, [start("orders")]);
    const waiting = settled(reader);
    await it.transport[Symbol.asyncDispose]();
    expect(["CLOSED", "nothing"]).toContain(await waiting);
    await reader[Symbol.asyncDispose]();
  });

  test("a reader that never fetched can be closed", async () => {
    await using it = await open();
    const reader = it.transport.reader([start("nowhere")]);
    await expect(reader[Symbol.asyncDispose]()).resolves.toBeUndefined();
  });
}

/** How a patient fetch ended: with nothing, with something, or with an error's code. */
async function settled(reader: Reader): Promise<string> {
  try {
    const { messages } = await fetched(reader, patient);
    return messages.length === 0 ? "nothing" : "something";
  } catch (error) {
    return codeOf(error) ?? messageOf(error);
  }
}
