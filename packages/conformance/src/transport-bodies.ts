import type { Body, Envelope } from "@waybill/messaging";
import { expect, test } from "vitest";
import {
  failure,
  hex,
  message,
  plain,
  readAll,
  readOn,
  spec,
  start,
  stored,
  type OpenTransport,
} from "./transport-fixture.ts";

const bodies: Record<string, Body> = {
  "plain JSON": '{"a":1}',
  "an empty text": "",
  "empty bytes": new Uint8Array(0),
  "text of many scripts": JSON.stringify({
    de: "Größe",
    ja: "注文",
    ar: "طلب",
    he: "הזמנה",
    combining: "e\u0301 é",
  }),
  "characters of four bytes": JSON.stringify({ text: "😀𝒳👩‍👩‍👧 🇩🇪" }),
  "an escaped NUL": JSON.stringify({ text: "a\u0000b" }),
  "a NUL itself": "before\u0000after",
  "an escaped lone surrogate": JSON.stringify({ text: "\ud800 and \udfff" }),
  "line ends and controls": "a\r\nb\tc\u0001\u001f\u007f",
  "quotes and backslashes": JSON.stringify({ sql: "'; drop table log; --", path: "C:\\new" }),
  "a byte order mark": new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]),
  "bytes that are not UTF-8": new Uint8Array([0x7b, 0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x00, 0x7d]),
  "every byte": Uint8Array.from({ length: 256 }, (_, byte) => byte),
  "a part of a larger buffer": new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).subarray(2, 5),
};

const names: Record<string, string> = {
  unicode: "größe-注文-😀",
  "spaces and punctuation": " a b\"c'd%41/\\;=,:?&#<>{}[]|",
  "two hundred bytes": "k".repeat(200),
  "a number": "00123",
};

export function bodyCases(open: OpenTransport): void {
  for (const [name, body] of Object.entries(bodies)) {
    test(`a body with ${name} comes back byte for byte`, async () => {
      await using it = await open();
      await it.transport.declare(spec("orders"));
      await stored(it.transport, [{ topic: "orders", partition: 0, messages: [message(1, { body })] }]);
      expect((await readAll(it.transport, "orders")).map((one) => hex(one.body))).toEqual([hex(body)]);
    });
  }

  for (const [name, text] of Object.entries(names)) {
    test(`id, subject, key, correlation and causation with ${name} come back as they were`, async () => {
      await using it = await open();
      await it.transport.declare(spec("orders"));
      const sent = message(1, {
        id: text,
        subject: text,
        key: text,
        correlation: text,
        causation: text,
      });
      await stored(it.transport, [{ topic: "orders", partition: 0, messages: [sent] }]);
      expect((await readAll(it.transport, "orders")).map(plain)).toEqual([plain(sent)]);
    });
  }

  test("every attribute comes back, and one that was absent stays absent", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const { stamp: _, ...outside } = message(2);
    const sent: Envelope[] = [full, outside, { ...full, id: "m-3", causation: undefined, traceparent: undefined }];
    await stored(it.transport, [{ topic: "orders", partition: 0, messages: sent }]);
    expect((await readAll(it.transport, "orders")).map(plain)).toEqual(sent.map(plain));
  });

  test("numbers far above 32 bits come back exactly", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const sent = message(1, {
      atMs: 4_102_444_800_123,
      stamp: { source: "lane-1", n: 2 ** 52 + 1, prev: 2 ** 52 - 1 },
    });
    await stored(it.transport, [{ topic: "orders", partition: 0, messages: [sent] }]);
    expect((await readAll(it.transport, "orders")).map(plain)).toEqual([plain(sent)]);
  });

  test("a message read says where it was read", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const [result] = await stored(it.transport, [{ topic: "orders", partition: 2, messages: [full] }]);
    const [found] = await readAll(it.transport, "orders", 2);
    expect(found).toMatchObject({ topic: "orders", partition: 2, offset: result!.firstOffset });
    expect(found!.malformed).toBeUndefined();
  });

  test("the message at an offset is the one that a reader finds there", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await stored(it.transport, [{ topic: "orders", partition: 0, messages: [full, message(2)] }]);
    for (const one of await readAll(it.transport, "orders")) {
      const found = await it.transport.read("orders", 0, one.offset);
      expect(plain(found!)).toEqual(plain(one));
      expect(found).toMatchObject({ topic: "orders", partition: 0, offset: one.offset });
    }
  });

  test("there is no message at the end, in a hole, or in another partition", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await stored(it.transport, [{ topic: "orders", partition: 0, messages: [message(1)] }]);
    await it.leaveHole("orders", 0);
    await stored(it.transport, [{ topic: "orders", partition: 0, messages: [message(2)] }]);
    const [first, second] = await readAll(it.transport, "orders");
    expect(await it.transport.read("orders", 0, first!.offset + 1)).toBeUndefined();
    expect(await it.transport.read("orders", 0, second!.offset + 1)).toBeUndefined();
    expect(await it.transport.read("orders", 1, first!.offset)).toBeUndefined();
  });

  test("a record that is no envelope is returned with the reason, its bytes and its place", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const body = new Uint8Array([0xff, 0x00, 0xfe]);
    await stored(it.transport, [{ topic: "orders", partition: 1, messages: [message(1)] }]);
    await it.appendUnreadable("orders", 1, body);
    await stored(it.transport, [{ topic: "orders", partition: 1, messages: [message(2)] }]);
    const found = await readAll(it.transport, "orders", 1);
    expect(found.map((one) => one.malformed === undefined)).toEqual([true, false, true]);
    expect(found[1]).toMatchObject({ topic: "orders", partition: 1 });
    expect(hex(found[1]!.body)).toBe(hex(body));
  });

  test("records that are no envelopes have ids and subjects of their own, the same each time they are read", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await it.appendUnreadable("orders", 0, new Uint8Array([1]));
    await it.appendUnreadable("orders", 0, new Uint8Array([1]));
    const first = await readAll(it.transport, "orders");
    expect(new Set(first.map((one) => one.id)).size).toBe(2);
    expect(new Set(first.map((one) => one.subject)).size).toBe(2);
    expect((await readAll(it.transport, "orders")).map(plain)).toEqual(first.map(plain));
  });

  test("nothing can be read through a closed transport", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await it.transport[Symbol.asyncDispose]();
    expect((await failure(it.transport.read("orders", 0, 0))).code).toBe("CLOSED");
    expect((await failure(it.transport.bounds("orders"))).code).toBe("CLOSED");
    expect((await failure(it.transport.declare(spec("payments")))).code).toBe("CLOSED");
    expect((await failure(readOn(it.transport, [start("orders")]))).code).toBe("CLOSED");
  });
}

const full: Envelope = {
  ...message(1),
  schema: 7,
  subject: "order-1",
  key: "customer-1",
  correlation: "first-of-all",
  causation: "the-one-before",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
};
