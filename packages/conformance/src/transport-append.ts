import type { Append, StoredMessage, Transport } from "@waybill/messaging";
import { expect, test } from "vitest";
import { faultyTransport, type AppendFault } from "./faulty-transport.ts";
import {
  append,
  failure,
  fill,
  ids,
  message,
  messages,
  readAll,
  readOn,
  spec,
  starts,
  stored,
  unaborted,
  type OpenTransport,
} from "./transport-fixture.ts";

export function appendCases(open: OpenTransport): void {
  test("a partition holds what was appended, in the order of the calls and within them", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 3);
    await fill(it.transport, "orders", 4, 4);
    await fill(it.transport, "orders", 5, 9);
    expect(ids(await readAll(it.transport, "orders"))).toEqual(ids(messages(1, 9)));
  });

  test("offsets rise", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 5);
    await fill(it.transport, "orders", 6, 9);
    const offsets = (await readAll(it.transport, "orders")).map((one) => one.offset);
    expect(offsets).toEqual([...new Set(offsets)].toSorted((a, b) => a - b));
  });

  test("the result names the first and the last offset", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const result = await fill(it.transport, "orders", 1, 5);
    expect((await it.transport.read("orders", 0, result.firstOffset))?.id).toBe("m-1");
    expect((await it.transport.read("orders", 0, result.lastOffset))?.id).toBe("m-5");
  });

  test("the result of a single message names it twice", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const result = await fill(it.transport, "orders", 1, 1);
    expect(result.firstOffset).toBe(result.lastOffset);
  });

  test("each destination has its own result, in the order of the call", async () => {
    await using it = await open();
    await declareBoth(it.transport);
    const batches = [3, 0, 2].flatMap((partition) => [to("payments", partition), to("orders", partition)]);
    const results = await stored(it.transport, batches);
    for (const [at, { topic, partition }] of batches.entries()) {
      const first = await it.transport.read(topic, partition, results[at]!.firstOffset);
      expect(first?.id).toBe(`${topic}-${partition}-1`);
    }
  });

  test("a thousand messages to one destination are stored in order", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 1000);
    expect(ids(await readAll(it.transport, "orders"))).toEqual(ids(messages(1, 1000)));
  });

  test("appends to different destinations may overlap", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await Promise.all([0, 1, 2, 3].map((partition) => stored(it.transport, [to("orders", partition)])));
    for (const partition of [0, 1, 2, 3]) {
      expect(ids(await readAll(it.transport, "orders", partition))).toEqual(ids(to("orders", partition).messages));
    }
  });

  test("a message that is too large fails its destination and leaves the others stored", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 4, 10_000));
    const results = await it.transport.append([to("orders", 0), tooLarge(1), to("orders", 2)], unaborted);
    expect(results.map((result) => result.ok)).toEqual([true, false, true]);
    expect(results[1]).toMatchObject({ error: { code: "MESSAGE_TOO_LARGE", retryable: false } });
    expect(ids(await readAll(it.transport, "orders", 0))).toEqual(ids(to("orders", 0).messages));
    expect(ids(await readAll(it.transport, "orders", 2))).toEqual(ids(to("orders", 2).messages));
  });

  test("an unknown topic fails its destination and leaves the others stored", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const results = await it.transport.append([to("nowhere", 0), to("orders", 0)], unaborted);
    expect(results[0]).toMatchObject({ ok: false, error: { code: "TOPIC_UNKNOWN" } });
    expect(results[1]!.ok).toBe(true);
    expect(await readAll(it.transport, "orders")).toHaveLength(3);
  });

  test("a partition that the topic does not have fails its destination and leaves the others stored", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 4));
    const results = await it.transport.append([to("orders", 4), to("orders", 3)], unaborted);
    expect(results.map((result) => result.ok)).toEqual([false, true]);
    expect(await readAll(it.transport, "orders", 3)).toHaveLength(3);
  });

  test("a failed destination holds nothing, or its messages from the first on, in order", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 4, 10_000));
    const batch = [message(1), message(2), message(3, { body: "x".repeat(20_000) }), message(4)];
    expect((await append(it.transport, "orders", 0, batch)).ok).toBe(false);
    const kept = ids(await readAll(it.transport, "orders"));
    expect(kept.length).toBeLessThanOrEqual(2);
    expect(kept).toEqual(ids(batch).slice(0, kept.length));
  });

  test("a message of nearly the largest size is stored", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 1, 200_000));
    await stored(it.transport, [
      { topic: "orders", partition: 0, messages: [message(1, { body: "x".repeat(195_000) })] },
    ]);
    expect(await readAll(it.transport, "orders")).toHaveLength(1);
  });

  test("the same append repeated stores its messages again, behind the first ones and in order", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 3);
    await fill(it.transport, "orders", 1, 3);
    expect(ids(await readAll(it.transport, "orders"))).toEqual(["m-1", "m-2", "m-3", "m-1", "m-2", "m-3"]);
  });

  const faults: Record<string, AppendFault> = {
    "was not made": { kind: "fail" },
    "lost its answer": { kind: "lose-answer" },
    "was stored in part": { kind: "part", count: 2 },
  };
  for (const [name, fault] of Object.entries(faults)) {
    test(`order per key survives the repetition of an append that ${name}`, async () => {
      await using it = await open();
      await it.transport.declare(spec("orders"));
      const plan = [fault, fault];
      const transport = faultyTransport(it.transport, { append: () => plan.shift() });
      for (const [from, until] of [
        [1, 4],
        [5, 5],
        [6, 9],
      ] as const)
        await untilStored(transport, messages(from, until));
      expect(taken(await readAll(it.transport, "orders"))).toEqual(ids(messages(1, 9)));
    });
  }

  test("an append whose signal is aborted still tells of each destination", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const results = await it.transport.append([to("orders", 0), to("orders", 1)], AbortSignal.abort());
    expect(results).toHaveLength(2);
    for (const [partition, result] of results.entries()) {
      const kept = ids(await readAll(it.transport, "orders", partition));
      expect(result.ok ? "stored" : result.error.code).toBeOneOf(["stored", "TRANSPORT_UNAVAILABLE"]);
      expect(kept.length).toBeGreaterThanOrEqual(result.ok ? 3 : 0);
      expect(kept).toEqual(ids(to("orders", partition).messages).slice(0, kept.length));
    }
  });

  test("an append to a closed transport rejects as a whole", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await it.transport[Symbol.asyncDispose]();
    expect((await failure(append(it.transport, "orders", 0, messages(1, 1)))).code).toBe("CLOSED");
  });

  test("what append reported stored is there for the next instance", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 4));
    const results = await stored(it.transport, [to("orders", 0), to("orders", 3)]);
    const again = await it.reopen();
    const { messages: found } = await readOn(again, starts("orders", 4));
    expect(ids(found).toSorted()).toEqual([...ids(to("orders", 0).messages), ...ids(to("orders", 3).messages)]);
    expect((await again.read("orders", 3, results[1]!.lastOffset))?.id).toBe("orders-3-3");
    expect((await again.bounds("orders"))[0]!.logId).toBe(results[0]!.logId);
  });

  test("what a caller changes after the append is not what is stored", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const bytes = new Uint8Array([1, 2, 3]);
    await stored(it.transport, [{ topic: "orders", partition: 0, messages: [message(1, { body: bytes })] }]);
    bytes.fill(9);
    expect([...Buffer.from((await readAll(it.transport, "orders"))[0]!.body as string)]).toEqual([1, 2, 3]);
  });
}

async function declareBoth(transport: Transport): Promise<void> {
  await transport.declare(spec("orders"));
  await transport.declare(spec("payments"));
}

/** Three messages to a partition, with ids that name it. */
function to(topic: string, partition: number): Append {
  return {
    topic,
    partition,
    messages: [1, 2, 3].map((n) => message(n, { id: `${topic}-${partition}-${n}` })),
  };
}

function tooLarge(partition: number): Append {
  return { topic: "orders", partition, messages: [message(1, { body: "x".repeat(20_000) })] };
}

/** As a lane's sender does: the same append again and again until it is known to be stored. */
async function untilStored(transport: Transport, batch: ReturnType<typeof messages>): Promise<void> {
  for (let attempt = 1; attempt <= 10; attempt++) {
    if ((await append(transport, "orders", 0, batch)).ok) return;
  }
  throw new Error("The append was not stored in ten attempts.");
}

/** The ids that a consumer takes by the chain of stamps. Throws on a gap: that is a message lost or out of order. */
function taken(list: readonly StoredMessage[]): string[] {
  let mark = 0;
  return list.flatMap(({ id, stamp }) => {
    if (stamp!.n <= mark) return [];
    if (stamp!.prev > mark)
      throw new Error(`A gap before ${id}: its predecessor is ${stamp!.prev}, the mark is ${mark}.`);
    mark = stamp!.n;
    return [id];
  });
}
