import { expect, onTestFinished, test } from "vitest";
import { memorySpool, memoryTransport, testWorld, type TestWorld } from "@waybill/memory";
import {
  openPublisher,
  startRelay,
  WaybillError,
  type Append,
  type Publisher,
  type Relay,
  type Spool,
  type Transport,
} from "@waybill/messaging";
import { count } from "./counter.ts";

interface Post {
  readonly world: TestWorld;
  readonly spool: Spool;
  readonly publisher: Publisher;
  readonly relay: Relay;
  /** How the broker behaves from now on. */
  be(how: "there" | "away" | "silent" | "stored and silent"): void;
  /** The numbers that lie in the log, in order. */
  stored(): Promise<number[]>;
  /** A further process with the same spool and broker. */
  another(): Relay;
}

async function open(kept: (spool: Spool) => Spool = (spool) => spool): Promise<Post> {
  const world = testWorld();
  const transport = memoryTransport({ world });
  await transport.declare({ name: "count-in", partitions: 1, bytesMax: 1_000_000 });
  let how = "there";
  const append = async (batches: readonly Append[], signal: AbortSignal) => {
    if (how === "there" || how === "stored and silent") {
      const results = await transport.append(batches, signal);
      if (how === "there") return results;
    }
    if (how !== "away") await world.sleep(60_000, signal);
    const error = new WaybillError("TRANSPORT_UNAVAILABLE", "The broker is away.");
    return batches.map(() => ({ ok: false as const, error }));
  };
  const transportOf = (): Transport => ({ ...transport, append });
  const spool = kept(memorySpool(world));
  const another = () => startRelay({ spool, transportOf, world });
  const relay = another();
  const publisher = openPublisher({
    transportOf,
    partitions: 1,
    producer: "test",
    nowMs: () => world.monotonicMs(),
    newId: () => world.newId(),
    relay,
  });
  onTestFinished(async () => {
    const closing = Promise.all([relay[Symbol.asyncDispose](), publisher[Symbol.asyncDispose]()]);
    await world.advance(120_000);
    await closing;
  });
  return {
    world,
    spool,
    publisher,
    relay,
    another,
    be: (next) => void (how = next),
    async stored() {
      const [bounds] = await transport.bounds("count-in");
      const offsets = Array.from({ length: bounds!.nextOffset }, (_, offset) => offset);
      const found = await Promise.all(offsets.map((offset) => transport.read("count-in", 0, offset)));
      return found.map((message) => (JSON.parse(message!.body as string) as { by: number }).by);
    },
  };
}

test("while the broker is away messages are taken, and appended in order when it is back", async () => {
  const { world, publisher, relay, be, stored } = await open();
  be("away");
  const first = publisher.publish(count, { id: "a", by: 1 });
  await world.settle();
  expect(await first).toEqual({ id: expect.any(String) as string, topic: "count-in", partition: 0 });
  for (let by = 2; by <= 4; by++) await publisher.publish(count, { id: "a", by });
  await world.advance(10_000);
  expect(await stored()).toEqual([]);
  be("there");
  // It goes behind those that wait, although the broker would take it.
  const last = publisher.publish(count, { id: "a", by: 5 });
  await world.settle();
  await last;
  await world.advance(3_000);
  expect(await stored()).toEqual([1, 2, 3, 4, 5]);
  expect(relay.isBehind("count-in")).toBe(false);
  const direct = publisher.publish(count, { id: "a", by: 6 });
  await world.settle();
  expect((await direct).offset).toBe(5);
});

test("a broker that does not answer keeps nobody waiting, and nothing overtakes what waits", async () => {
  const { world, publisher, be, stored } = await open();
  be("silent");
  const first = publisher.publish(count, { id: "a", by: 1 });
  await world.advance(2_000);
  await first;
  await publisher.publish(count, { id: "a", by: 2 });
  be("there");
  await world.advance(120_000);
  expect(await stored()).toEqual([1, 2]);
});

test("what was stored and not answered for is stored again under the same id", async () => {
  const { world, publisher, be, stored } = await open();
  be("stored and silent");
  const answer = publisher.publish(count, { id: "a", by: 1 });
  await world.advance(2_000);
  await answer;
  be("there");
  await world.advance(120_000);
  const found = await stored();
  expect(found.length).toBeGreaterThanOrEqual(2);
  expect(new Set(found)).toEqual(new Set([1]));
});

test("what a process left in the spool another one appends", async () => {
  const { world, relay, spool, be, stored, another } = await open();
  be("away");
  const envelope = { id: "m", type: "count", schema: 1, subject: "a", key: "a", producer: "test", atMs: 1 };
  const body = JSON.stringify({ id: "a", by: 7 });
  await relay.put([{ ...envelope, correlation: "m", body, topic: "count-in", partition: 0 }]);
  await relay[Symbol.asyncDispose]();
  be("there");
  await using _ = another();
  await world.advance(20_000);
  expect(await stored()).toEqual([7]);
  expect(await spool.take("looker", 10, 1, [])).toEqual([]);
});

test("while the broker is away each message is kept at once, also when another process brings them", async () => {
  const { world, spool, publisher, be, stored } = await open();
  be("away");
  const first = publisher.publish(count, { id: "a", by: 1 });
  await world.settle();
  await first;
  expect(await spool.take("another process", 10, 30_000, [])).toHaveLength(1);
  // From here an append would be waited for, and none is tried.
  be("silent");
  for (let by = 2; by <= 5; by++) {
    await world.advance(1_000);
    await publisher.publish(count, { id: "a", by });
  }
  be("there");
  await world.advance(10_000);
  expect(await stored()).toEqual([]);
  await world.advance(30_000);
  expect(await stored()).toEqual([1, 2, 3, 4, 5]);
});

test("nothing overtakes what is being put", async () => {
  let putMs = 0;
  const slow = (spool: Spool): Spool => ({
    ...spool,
    put: async (messages) => {
      if (putMs > 0) await world.sleep(putMs);
      await spool.put(messages);
    },
  });
  const { world, publisher, be, stored } = await open(slow);
  putMs = 5_000;
  be("away");
  const first = publisher.publish(count, { id: "a", by: 1 });
  await world.settle();
  be("there");
  // The spool is looked through meanwhile, and is empty.
  await world.advance(3_000);
  const second = publisher.publish(count, { id: "a", by: 2 });
  await world.advance(20_000);
  await Promise.all([first, second]);
  expect(await stored()).toEqual([1, 2]);
});
