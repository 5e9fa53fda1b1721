import { expect, test } from "vitest";
import type { Envelope, FetchLimits, Position, Reader, StoredMessage } from "@waybill/messaging";
import { openFile, type EmbeddedFile, type FileLimits } from "@waybill/store-sqlite";
import { embeddedTransport } from "@waybill/transport-embedded";
import { newFolder, world } from "./under-test.ts";

const { signal } = new AbortController();
const now: FetchLimits = { messages: 10_000, bytes: 1e9, waitMs: 0 };

interface Opened extends AsyncDisposable {
  readonly file: EmbeddedFile;
  readonly folder: string;
}

async function opened(limits: Partial<FileLimits> = {}): Promise<Opened> {
  const folder = newFolder();
  const file = await openFile(folder.path, { world, limits });
  await embeddedTransport(file).declare({ name: "orders", partitions: 4, bytesMax: 100_000 });
  return {
    file,
    folder: folder.path,
    async [Symbol.asyncDispose]() {
      await file.close();
      folder[Symbol.dispose]();
    },
  };
}

function envelope(id: string, body = "{}"): Envelope {
  return {
    id,
    type: "order.placed",
    schema: 1,
    subject: id,
    key: id,
    producer: "shop",
    atMs: 1,
    correlation: id,
    body,
  };
}

function starts(): Position[] {
  return [0, 1, 2, 3].map((partition) => ({ topic: "orders", partition, logId: "", nextOffset: 0 }));
}

async function append(file: EmbeddedFile, partition: number, count: number, body?: string): Promise<void> {
  const messages = Array.from({ length: count }, (_, at) => envelope(`m-${partition}-${at}`, body));
  const [result] = await embeddedTransport(file).append([{ topic: "orders", partition, messages }], signal);
  expect(result).toMatchObject({ ok: true });
}

async function readToEnd(reader: Reader, from: readonly Position[]): Promise<StoredMessage[]> {
  const found: StoredMessage[] = [];
  for (let calls = 0; calls < 10_000; calls++) {
    const { messages, atEnd } = await reader.fetch({ ...now, messages: 50 }, signal);
    found.push(...messages);
    if (atEnd.length === from.length) return found;
  }
  throw new Error("The reader never came to the end.");
}

test("a lane reads what is applied, everybody else only what is durable", async () => {
  await using it = await opened();
  await using lanes = embeddedTransport(it.file).reader(starts());
  await using others = embeddedTransport(it.file, { durable: true }).reader(starts());
  await Promise.all([lanes.fetch(now, signal), others.fetch(now, signal)]);
  const appending = append(it.file, 1, 1);
  expect((await lanes.fetch(now, signal)).messages.map((one) => one.id)).toEqual(["m-1-0"]);
  expect((await others.fetch(now, signal)).messages).toEqual([]);
  const waiting = others.fetch({ ...now, waitMs: 60_000 }, signal);
  await appending;
  expect((await waiting).messages.map((one) => one.id)).toEqual(["m-1-0"]);
});

test("the first fetch does not wait to say that there is nothing", async () => {
  await using it = await opened();
  await using reader = embeddedTransport(it.file).reader(starts());
  const { messages, atEnd } = await reader.fetch({ ...now, waitMs: 60_000 }, signal);
  expect(messages).toEqual([]);
  expect(atEnd).toHaveLength(4);
});

test("what has left memory is read from the file, with what is in memory behind it", async () => {
  await using it = await opened({ tailBytesMax: 20_000 });
  for (let round = 0; round < 40; round++) await append(it.file, round % 4, 5, JSON.stringify("x".repeat(500)));
  const log = it.file.log.topic("orders");
  expect(log.tail[0]!.first).toBeGreaterThan(0);
  await using reader = embeddedTransport(it.file).reader(starts());
  const found = await readToEnd(reader, starts());
  expect(found.map((one) => one.offset)).toEqual(Array.from({ length: 200 }, (_, at) => at));
});

test("a silent partition moves with its topic, in steps, and stands where its bounds say", async () => {
  await using it = await opened();
  const transport = embeddedTransport(it.file);
  await append(it.file, 2, 3_000);
  await using reader = transport.reader(starts());
  const positions = new Map<number, Position>();
  for (let calls = 0; calls < 100; calls++) {
    const { next, atEnd } = await reader.fetch({ ...now, messages: 100 }, signal);
    for (const position of next) positions.set(position.partition, position);
    if (atEnd.length === 4) break;
  }
  const bounds = await transport.bounds("orders");
  expect(positions.get(0)!.nextOffset).toBeGreaterThan(1_900);
  for (const one of bounds) expect(positions.get(one.partition)!.nextOffset).toBe(one.nextOffset);
  await using again = transport.reader([...positions.values()]);
  await append(it.file, 0, 1);
  expect((await again.fetch(now, signal)).messages.map((one) => one.id)).toEqual(["m-0-0"]);
});

test("another process reads on while this one writes", async () => {
  await using it = await opened();
  await append(it.file, 0, 2);
  await using reading = await openFile(it.folder, { world, readOnly: true });
  const transport = embeddedTransport(reading);
  await using reader = transport.reader(starts());
  expect(await readToEnd(reader, starts())).toHaveLength(2);
  const waiting = reader.fetch({ ...now, waitMs: 60_000 }, signal);
  await append(it.file, 3, 1);
  expect((await waiting).messages.map((one) => one.id)).toEqual(["m-3-0"]);
  expect((await transport.bounds("orders"))[3]!.nextOffset).toBe(3);
});

test("an append is refused that the topic does not take, and names the reason", async () => {
  await using it = await opened();
  const transport = embeddedTransport(it.file);
  const results = await transport.append(
    [
      { topic: "orders", partition: 0, messages: [envelope("large", JSON.stringify("é".repeat(50_000)))] },
      { topic: "orders", partition: 9, messages: [envelope("m-1")] },
      { topic: "orders", partition: 1, messages: [envelope("m-2")] },
    ],
    signal,
  );
  expect(results.map((result) => (result.ok ? "ok" : result.error.code))).toEqual([
    "MESSAGE_TOO_LARGE",
    "TOPIC_UNKNOWN",
    "ok",
  ]);
});

test("a closed file refuses its transport's calls", async () => {
  await using it = await opened();
  const transport = embeddedTransport(it.file);
  await it.file.close();
  await expect(transport.bounds("orders")).rejects.toMatchObject({ code: "CLOSED" });
  await expect(append(it.file, 0, 1)).rejects.toMatchObject({ code: "CLOSED" });
});
