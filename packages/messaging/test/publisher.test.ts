import { expect, test } from "vitest";
import { memoryTransport, testWorld, type TestWorld } from "@waybill/memory";
import { openPublisher, WaybillError, type Append, type Publisher, type Transport } from "@waybill/messaging";
import { count, counted } from "./counter.ts";

const coded = (code: string) => expect.objectContaining({ code }) as Error;

interface Post {
  readonly world: TestWorld;
  readonly transport: Transport;
  readonly publisher: Publisher;
  /** What each append held, by destination, and the most that was under way at once for one. */
  readonly appends: number[];
  readonly most: () => number;
  fail(error: WaybillError | undefined): void;
}

async function open(waitingMax?: number): Promise<Post> {
  const world = testWorld();
  const transport = memoryTransport({ world });
  await transport.declare({ name: "count-in", partitions: 2, bytesMax: 1_000_000 });
  const appends: number[] = [];
  const underWay = new Map<number, number>();
  let most = 0;
  let failure: WaybillError | undefined;
  const slow: Pick<Transport, "append"> = {
    async append(batches: readonly Append[], signal) {
      for (const { partition, messages } of batches) {
        appends.push(messages.length);
        underWay.set(partition, (underWay.get(partition) ?? 0) + 1);
      }
      most = Math.max(most, ...underWay.values());
      await world.sleep(10);
      for (const { partition } of batches) underWay.set(partition, underWay.get(partition)! - 1);
      const error = failure;
      if (error !== undefined) return batches.map(() => ({ ok: false, error }));
      return transport.append(batches, signal);
    },
  };
  const publisher = openPublisher({
    transportOf: () => ({ ...transport, ...slow }),
    partitions: 2,
    producer: "test",
    nowMs: () => world.monotonicMs(),
    newId: () => world.newId(),
    ...(waitingMax === undefined ? {} : { waitingMax }),
  });
  return { world, transport, publisher, appends, most: () => most, fail: (error) => void (failure = error) };
}

test("what is published while an append is under way goes with the next, in order", async () => {
  const { world, transport, publisher, appends, most } = await open();
  const first = publisher.publish(count, { id: "a", by: 0 });
  await world.settle();
  const rest = Array.from({ length: 20 }, (_, at) => publisher.publish(count, { id: "a", by: at + 1 }));
  await world.advance(100);
  const { partition } = await first;
  const published = await Promise.all(rest);
  expect(appends).toEqual([1, 20]);
  expect(most()).toBe(1);
  const bodies = await Promise.all(
    Array.from({ length: 21 }, async (_, offset) => (await transport.read("count-in", partition, offset))!.body),
  );
  expect(bodies.map((body) => (JSON.parse(body as string) as { by: number }).by)).toEqual(
    Array.from({ length: 21 }, (_, at) => at),
  );
  expect(new Set(published.map(({ id }) => id)).size).toBe(20);
});

test("what was not stored is told so, and can be published again under the same id", async () => {
  const { world, transport, publisher, fail } = await open();
  fail(new WaybillError("TRANSPORT_UNAVAILABLE", "away"));
  const answer = publisher.publish(count, { id: "a", by: 1 }, { id: "mine" }).catch((error: unknown) => error);
  await world.advance(100);
  expect(await answer).toEqual(coded("TRANSPORT_UNAVAILABLE"));
  fail(undefined);
  const again = publisher.publish(count, { id: "a", by: 1 }, { id: "mine" });
  await world.advance(100);
  const { partition, offset } = await again;
  expect((await transport.read("count-in", partition, offset!))?.id).toBe("mine");
});

test("what may not be published is refused before anything is stored", async () => {
  const { publisher, appends } = await open();
  await expect(publisher.publish(counted, { id: "a", total: 1 })).rejects.toThrow(coded("TOPIC_FOREIGN"));
  await expect(publisher.publish(count, { id: "a", by: 0.5 })).rejects.toThrow(coded("MESSAGE_INVALID"));
  await expect(publisher.publish(count, { id: "", by: 1 })).rejects.toThrow(coded("KEY_INVALID"));
  await expect(publisher.publish(count, { id: "a", by: 1 }, { id: "a\n" })).rejects.toThrow(coded("KEY_INVALID"));
  expect(appends).toEqual([]);
});

test("no more waits than may wait", async () => {
  const { world, publisher } = await open(2);
  const waiting = [publisher.publish(count, { id: "a", by: 1 }), publisher.publish(count, { id: "a", by: 2 })];
  await expect(publisher.publish(count, { id: "a", by: 3 })).rejects.toThrow(coded("BACKLOG_FULL"));
  await world.advance(100);
  await Promise.all(waiting);
  const later = publisher.publish(count, { id: "a", by: 3 });
  await world.advance(100);
  expect((await later).topic).toBe("count-in");
});

test("a closed publisher takes nothing", async () => {
  const { publisher } = await open();
  await publisher[Symbol.asyncDispose]();
  await expect(publisher.publish(count, { id: "a", by: 1 })).rejects.toThrow(coded("CLOSED"));
});
