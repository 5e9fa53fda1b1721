import { faultyTransport, testTransport } from "@waybill/conformance";
import { dice, memoryTransport, testWorld } from "@waybill/memory";
import { codeOf, shareReading, type Envelope, type Position, type Reader, type Transport } from "@waybill/messaging";
import { underTest } from "./under-test.ts";
import { describe, expect, test } from "vitest";

/** Each reader has so many companions that never fetch: enough for every topic to be worth a feed. */
function inCompany(transport: Transport): Transport {
  return {
    ...transport,
    reader: (from) => (Array.from({ length: 8 }, () => transport.reader(from)), transport.reader(from)),
  };
}

testTransport("a log that is read along", async () =>
  underTest((transport, world) => inCompany(shareReading(transport, { world }))),
);

/** Counts what is fetched from the log itself. */
function counted(transport: Transport): { readonly transport: Transport; readonly messages: () => number } {
  let messages = 0;
  const reader = (from: readonly Position[]): Reader => {
    const inner = transport.reader(from);
    return {
      async fetch(limits, signal) {
        const fetched = await inner.fetch(limits, signal);
        messages += fetched.messages.length;
        return fetched;
      },
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
  };
  return { transport: { ...transport, reader }, messages: () => messages };
}

const topics = ["orders", "stock"];
const partitions = 4;
const all = Array.from({ length: partitions }, (_, partition) => partition);

function starts(topicNames: readonly string[], of: readonly number[]): Position[] {
  return topicNames.flatMap((topic) => of.map((partition) => ({ topic, partition, logId: "", nextOffset: 0 })));
}

let made = 0;
function message(): Envelope {
  const id = `m-${++made}`;
  return { id, type: "t", schema: 1, subject: id, key: id, producer: "p", atMs: 1, correlation: id, body: `"${id}"` };
}

/** Reads until it is told to stop; everything that it got, by topic and partition. */
async function follow(reader: Reader, roll: () => number, signal: AbortSignal): Promise<Map<string, string[]>> {
  const got = new Map<string, string[]>();
  while (!signal.aborted) {
    const limits = { messages: 1 + Math.floor(roll() * 6), bytes: 1_000, waitMs: 1 + Math.floor(roll() * 5_000) };
    const except = roll() < 0.1 ? new Set([topics[Math.floor(roll() * 2)]!]) : undefined;
    try {
      const { messages } = await reader.fetch({ ...limits, except }, signal);
      expect(messages.length).toBeLessThanOrEqual(limits.messages);
      for (const { topic, partition, id } of messages) {
        expect(except?.has(topic)).not.toBe(true);
        const name = `${topic}/${partition}`;
        got.set(name, [...(got.get(name) ?? []), id]);
      }
    } catch (error) {
      if (codeOf(error) !== "TRANSPORT_UNAVAILABLE") throw error;
    }
  }
  return got;
}

describe("reading along", () => {
  test("gives each reader every message of its partitions once, in order, whoever lags or fails", async () => {
    for (let seed = 1; seed <= 25; seed++) {
      const roll = dice(seed);
      const world = testWorld();
      const logs = memoryTransport({ world, hole: () => Math.floor(roll() * 2) });
      const inner = logs.handle();
      const faulty = faultyTransport(inner, { fetch: () => (roll() < 0.05 ? { kind: "fail" } : undefined) });
      await using shared = shareReading(faulty, { world, limits: { keptMessages: 20 } });
      for (const name of topics) await shared.declare({ name, partitions, bytesMax: 10_000 });
      const stop = new AbortController();
      const readers = [all, all, [0, 2], [1, 3], [seed % partitions]].map((of, at) => ({
        of,
        reader: shared.reader(starts(at === 1 ? ["orders"] : topics, of)),
      }));
      const following = readers.map(({ reader }) => follow(reader, roll, stop.signal));
      const sent = new Map<string, string[]>();
      for (let step = 0; step < 120; step++) {
        const topic = topics[Math.floor(roll() * 2)]!;
        const partition = Math.floor(roll() * partitions);
        const messages = Array.from({ length: 1 + Math.floor(roll() * 4) }, message);
        await inner.append([{ topic, partition, messages }], stop.signal);
        const name = `${topic}/${partition}`;
        sent.set(name, [...(sent.get(name) ?? []), ...messages.map(({ id }) => id)]);
        if (roll() < 0.4) await world.advance(Math.floor(roll() * 3_000));
      }
      await world.advance(60_000);
      stop.abort();
      for (const [at, got] of (await Promise.all(following)).entries()) {
        const wanted = starts(at === 1 ? ["orders"] : topics, readers[at]!.of).map(
          (one) => `${one.topic}/${one.partition}`,
        );
        for (const name of wanted)
          expect(got.get(name) ?? [], `seed ${seed}, reader ${at}, ${name}`).toEqual(sent.get(name) ?? []);
        expect([...got.keys()].every((name) => wanted.includes(name))).toBe(true);
      }
      for (const { reader } of readers) await reader[Symbol.asyncDispose]();
    }
  });

  test("tells the ends of other topics while messages are left for which there was no room", async () => {
    const world = testWorld();
    const logs = memoryTransport({ world });
    await using shared = shareReading(logs.handle(), { world });
    for (const name of topics) await shared.declare({ name, partitions: 1, bytesMax: 10_000 });
    const messages = Array.from({ length: 4 }, message);
    await shared.append([{ topic: "orders", partition: 0, messages }], new AbortController().signal);
    await using reader = shared.reader(starts(topics, [0]));
    const stop = new AbortController();
    const early = reader.fetch({ messages: 10, bytes: 10_000, waitMs: 5_000 }, stop.signal);
    stop.abort();
    await early;
    await world.settle();
    const { signal } = new AbortController();
    const fetched = await reader.fetch({ messages: 2, bytes: 10_000, waitMs: 5_000 }, signal);
    expect(fetched.messages.map(({ id }) => id)).toEqual(messages.slice(0, 2).map(({ id }) => id));
    expect(fetched.atEnd).toEqual([{ topic: "stock", partition: 0 }]);
    const rest = await reader.fetch({ messages: 10, bytes: 10_000, waitMs: 5_000 }, signal);
    expect(rest.messages.map(({ id }) => id)).toEqual(messages.slice(2).map(({ id }) => id));
  });

  test("reads a topic once for all that keep up with it", async () => {
    const world = testWorld();
    const logs = memoryTransport({ world });
    const log = counted(logs.handle());
    await using shared = shareReading(log.transport, { world });
    for (const name of topics) await shared.declare({ name, partitions, bytesMax: 10_000 });
    const stop = new AbortController();
    const readers = Array.from({ length: 5 }, () => shared.reader(starts(topics, all)));
    const following = readers.map((reader, at) => follow(reader, dice(at), stop.signal));
    await world.advance(20_000);
    for (let n = 0; n < 100; n++) {
      await shared.append([{ topic: "orders", partition: n % partitions, messages: [message()] }], stop.signal);
      await world.advance(100);
    }
    await world.advance(20_000);
    stop.abort();
    for (const got of await Promise.all(following)) expect([...got.values()].flat().length).toBe(100);
    expect(log.messages()).toBe(100);
    for (const reader of readers) await reader[Symbol.asyncDispose]();
  });
});
