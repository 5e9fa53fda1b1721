import { readRecord, unreadable, writeAttributes, type Envelope, type RecordPlace } from "@waybill/messaging";
import { expect, test } from "vitest";

const place: RecordPlace = { topic: "orders", partition: 3, offset: 17, storedMs: 1_700_000_000_000 };

const full: Envelope = {
  id: "m-1",
  type: "order.placed",
  schema: 3,
  subject: "order-1",
  key: "customer-1",
  producer: "orders",
  atMs: 1_800_000_000_123,
  correlation: "c-1",
  causation: "c-2",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  stamp: { source: "life", n: 2 ** 52 + 1, prev: 7 },
  body: "{}",
};

function attributesOf(envelope: Envelope): Map<string, string> {
  const written = new Map<string, string>();
  writeAttributes(envelope, (name, value) => written.set(name, value));
  return written;
}

function read(attributes: Record<string, string>, at: RecordPlace = place): ReturnType<typeof readRecord> {
  return readRecord(at, (name) => attributes[name], "{}");
}

const least = { specversion: "1.0", id: "1", source: "till", type: "order.place" };

test("an envelope has the names of CloudEvents, and its version in dataschema", () => {
  expect(Object.fromEntries(attributesOf(full))).toEqual({
    specversion: "1.0",
    id: "m-1",
    source: "orders",
    type: "order.placed",
    subject: "order-1",
    time: "2027-01-15T08:00:00.123Z",
    datacontenttype: "application/json",
    dataschema: "urn:waybill:order.placed:3",
    partitionkey: "customer-1",
    correlationid: "c-1",
    causationid: "c-2",
    traceparent: full.traceparent,
    chainsource: "life",
    chainn: "4503599627370497",
    chainprev: "7",
  });
});

test("what is written is read as it was, and what was absent stays absent", () => {
  const { causation: _, traceparent: __, stamp: ___, ...bare } = full;
  for (const envelope of [full, bare]) {
    const attributes = attributesOf(envelope);
    const message = readRecord(place, (name) => attributes.get(name), envelope.body);
    expect(message).toEqual({ ...envelope, topic: "orders", partition: 3, offset: 17 });
  }
});

test("names have lower-case letters and digits only, and at most twenty", () => {
  for (const name of attributesOf(full).keys()) expect(name).toMatch(/^[a-z0-9]{1,20}$/);
});

test("a stranger needs four attributes; the rest has plain meanings", () => {
  expect(read(least)).toMatchObject({
    id: "1",
    producer: "till",
    type: "order.place",
    schema: 1,
    subject: "1",
    key: "1",
    correlation: "1",
    atMs: place.storedMs,
    stamp: undefined,
  });
  expect(read(least, { ...place, key: "k" })).toMatchObject({ key: "k", subject: "k" });
  expect(read({ ...least, subject: "order-1" })).toMatchObject({ key: "order-1", subject: "order-1" });
  expect(read({ ...least, partitionkey: "k", subject: "order-1" })).toMatchObject({ key: "k", subject: "order-1" });
});

test("a stranger's time may have an offset and its schema a path", () => {
  const message = read({ ...least, time: "2026-11-23T12:00:00.5+01:00", dataschema: "https://shop.example/order/v12" });
  expect(message).toMatchObject({ atMs: Date.UTC(2026, 10, 23, 11, 0, 0, 500), schema: 12 });
});

const wrong: Record<string, Record<string, string | undefined>> = {
  specversion: { specversion: undefined },
  id: { id: "" },
  source: { source: undefined },
  type: { type: undefined },
  "specversion is": { specversion: "0.3" },
  dataschema: { dataschema: "https://shop.example/order" },
  time: { time: "yesterday" },
  chainn: { chainsource: "life", chainn: "1e3", chainprev: "0" },
  chainprev: { chainsource: "life", chainn: "3", chainprev: "3" },
  chainsource: { chainn: "3", chainprev: "2" },
};

for (const [name, change] of Object.entries(wrong)) {
  test(`a record is unreadable for its ${name}, and says so`, () => {
    const message = read({ ...least, ...(change as Record<string, string>) });
    expect(message.malformed).toContain(name);
    expect(message).toMatchObject({ id: "orders-3-17", type: "unreadable", body: "{}", offset: 17 });
  });
}

test("an unreadable record is the same each time it is read", () => {
  expect(unreadable(place, "x", "why")).toEqual(unreadable(place, "x", "why"));
  expect(unreadable({ ...place, offset: 18 }, "x", "why").subject).not.toBe(unreadable(place, "x", "why").subject);
});
