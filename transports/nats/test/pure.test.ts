import type { Envelope, TopicSpec } from "@waybill/messaging";
import type { StreamConfig } from "@nats-io/jetstream";
import { expect, test } from "vitest";
import { batchBytesMax, batchLines, batchMessagesMax, outgoing, pieces, type Outgoing } from "../src/batch.ts";
import { attributeLines, attributesIn, blockBytes, headerBlock } from "../src/headers.ts";
import { connectionOptions } from "../src/options.ts";
import { deliveryOf, messageOf } from "../src/record.ts";
import { refuseOldServer } from "../src/server-version.ts";
import { laggards, sharesOf, silentMark, startsOf } from "../src/starts.ts";
import { refuseImpossible, refuseOther, streamOf, topicOf } from "../src/stream-config.ts";
import { isTopicName, partitionIn, subjectOf } from "../src/subject.ts";

const envelope: Envelope = {
  id: 'a "b" 100% ü\r\nNats-Msg-Id: 7',
  type: "order.placed",
  schema: 2,
  subject: "注文",
  key: "k",
  producer: "orders",
  atMs: 1_800_000_000_000,
  correlation: "c",
  stamp: { source: "life", n: 3, prev: 2 },
  body: "{}",
};

const spec: TopicSpec = { name: "orders", partitions: 12, bytesMax: 10_000 };
const config = streamOf(spec) as StreamConfig;
const topic = topicOf({ config, created: "2026-11-23T12:00:00.123456789Z" });

test("values are percent-encoded as the binding says, so that none can end its line", () => {
  const lines = attributeLines(envelope);
  expect(lines).toContain("ce-id: a%20%22b%22%20100%25%20%C3%BC%0D%0ANats-Msg-Id:%207\r\n");
  expect(lines.split("\r\n").every((line) => line === "" || /^ce-[a-z]+: [!-~]+$/.test(line))).toBe(true);
  expect(headerBlock(lines)).toHaveLength(blockBytes(lines));
});

test("a header block is read as it was written", () => {
  const block = headerBlock(attributeLines(envelope)).toString("latin1");
  const message = messageOf("orders", {
    subject: "orders.11.order.placed",
    sequence: 9,
    storedMs: 1,
    block,
    body: new Uint8Array(0),
  });
  expect(message).toMatchObject({ ...envelope, body: new Uint8Array(0), partition: 11, offset: 9 });
});

test("a stranger may capitalise names and send UTF-8 as it is", () => {
  const raw = "NATS/1.0\r\nCe-Specversion: 1.0\r\nCe-Id:größe%21\r\nCE-SOURCE:  till \r\nCe-Type: order.place\r\n\r\n";
  const attribute = attributesIn(Buffer.from(raw).toString("latin1"));
  expect(["id", "source", "type", "subject"].map(attribute)).toEqual(["größe!", "till", "order.place", undefined]);
});

test("a subject is one, whatever the type, and names its partition", () => {
  expect(subjectOf("orders-in", 7, "order.place")).toBe("orders-in.7.order.place");
  for (const type of ["", "a b", "a..b", "*", ">", "x.>", ".a", "größe", "a\r\n"]) {
    const subject = subjectOf("orders", 11, type);
    expect(subject).toMatch(/^orders\.11\.[A-Za-z0-9_%-]+$/);
    expect(partitionIn(subject, "orders")).toBe(11);
  }
  for (const other of ["orders.x.order", "orders..order", "orders", "orders.1", "ordersx.1.a", "hole.orders"]) {
    expect(partitionIn(other, "orders")).toBe(-1);
  }
});

test("a stream's name is a topic's", () => {
  expect(["orders", "orders-in", "a".repeat(63)].every(isTopicName)).toBe(true);
  expect(["", "a.b", "a b", "a*", ">", "-a", "a".repeat(64)].some(isTopicName)).toBe(false);
});

test("a delivery is read with a domain and without", () => {
  const expected = { sequence: 20, delivered: 3, storedMs: 1_700_000_000_123, pending: 5 };
  expect(deliveryOf("$JS.ACK.orders.waybill-x.1.20.3.1700000000123456789.5")).toEqual(expected);
  expect(deliveryOf("$JS.ACK.hub.hash.orders.waybill-x.1.20.3.1700000000123456789.5")).toEqual(expected);
  expect(deliveryOf("$JS.ACK.hub.hash.orders.waybill-x.1.20.3.1700000000123456789.5.r4nd")).toEqual(expected);
  expect(deliveryOf("_INBOX.a")).toBeUndefined();
});

function ready(bytes: number): Outgoing {
  return { subject: "orders.0.x", lines: "", body: new Uint8Array(bytes) };
}

test("pieces hold all messages in order, and none is too large for a batch", () => {
  for (const [count, bytes] of [
    [1, 10],
    [batchMessagesMax, 10],
    [2_500, 10],
    [10, batchBytesMax / 3],
    [3, batchBytesMax * 2],
  ] as const) {
    const all = Array.from({ length: count }, () => ready(bytes));
    const cut = [...pieces(all)];
    expect(cut.flat()).toEqual(all);
    for (const piece of cut) {
      expect(piece.length).toBeLessThanOrEqual(batchMessagesMax);
      expect(piece.length === 1 || piece.length * bytes <= batchBytesMax).toBe(true);
    }
  }
  expect(
    [
      ...pieces(
        Array.from({ length: 5 }, () => ready(1)),
        2,
      ),
    ].map((piece) => piece.length),
  ).toEqual([2, 2, 1]);
});

test("the lines of a batch end it with its last message only", () => {
  expect(batchLines("id", 4, false)).toBe("Nats-Batch-Id: id\r\nNats-Batch-Sequence: 4\r\n");
  expect(batchLines("id", 5, true)).toContain("Nats-Batch-Commit: 1\r\n");
});

test("a message is measured before it is sent", () => {
  expect(outgoing(topic, 3, envelope).subject).toBe("orders.3.order.placed");
  expect(() => outgoing(topic, 3, { ...envelope, body: "x".repeat(10_000) })).toThrow(
    /larger than topic "orders" takes/,
  );
});

test("one consumer reads all but partitions far behind, and filters where that costs less", () => {
  const positions = [0, 1, 2, 3].map((partition) => ({
    topic: "orders",
    partition,
    logId: "x",
    nextOffset: 50_000 + partition,
  }));
  const near = startsOf(positions, 1);
  expect(sharesOf("orders", near, 32)).toEqual([{ from: near, filters: [0, 1, 2, 3].map((one) => `orders.${one}.>`) }]);
  expect(sharesOf("orders", near, 12)).toEqual([{ from: near, filters: undefined }]);
  const far = new Map(near).set(2, 10);
  expect(laggards(far)).toEqual([2]);
  expect(sharesOf("orders", far, 4).map(({ from, filters }) => [[...from.keys()], filters])).toEqual([
    [[0, 1, 3], undefined],
    [[2], ["orders.2.>"]],
  ]);
});

test("reading begins at the first message kept", () => {
  const position = { topic: "orders", partition: 0, logId: "", nextOffset: 0 };
  expect([startsOf([position], 0).get(0), startsOf([position], 70).get(0)]).toEqual([1, 70]);
});

test("the mark of silent partitions never falls while a stream grows and is trimmed", () => {
  let before = 0;
  for (let last = 1, first = 1; last < 100_000; last += 37) {
    if (last % 5 === 0) first = Math.min(last, first + 150);
    const mark = silentMark(first, last);
    expect(mark).toBeGreaterThanOrEqual(before);
    expect(mark).toBeLessThanOrEqual(last + 1);
    expect(mark).toBeGreaterThanOrEqual(last + 1 - 4_096);
    before = mark;
  }
});

test("a server that is too old is refused by name", () => {
  for (const version of ["2.11.9", "1.4.0", "", "2.9.0-beta"])
    expect(() => refuseOldServer(version)).toThrow(/2\.12 or newer is needed/);
  for (const version of ["2.12.0", "2.12.0-RC.1", "2.15.2", "3.0.0"])
    expect(() => refuseOldServer(version)).not.toThrow();
});

test("a stream that was altered is not the topic declared, and both are shown", () => {
  expect(() => refuseOther(config, spec)).not.toThrow();
  const altered: Partial<StreamConfig>[] = [
    { max_msgs: 5 },
    { discard: "new" },
    { allow_atomic: false },
    { num_replicas: 3 },
    { subjects: ["orders.>"] },
  ];
  for (const change of altered) {
    const [[name, value]] = Object.entries(change) as [[string, unknown]];
    const shown = String(name === "num_replicas" ? 3 : Array.isArray(value) ? value[0] : value);
    expect(() => refuseOther({ ...config, ...change }, spec)).toThrow(shown);
  }
  expect(() => refuseImpossible({ ...spec, bytesMax: 1_045_000 }, 1_048_576)).toThrow(/max_payload/);
});

test("an identity may stand in a URL, and options go before it", () => {
  expect(connectionOptions({ servers: "nats://shop:s%40crt@a:1, b:2" })).toMatchObject({
    servers: ["a:1", "b:2"],
    user: "shop",
    pass: "s@crt",
  });
  expect(connectionOptions({ servers: ["nats://t0ken@a:1"] })).toMatchObject({ servers: ["a:1"], token: "t0ken" });
  expect(connectionOptions({ servers: "nats://x:y@a:1", token: "other" })).not.toHaveProperty("user");
});
