import type { TopicSpec } from "@waybill/messaging";
import { expect, test } from "vitest";
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
  start,
  stored,
  type OpenTransport,
} from "./transport-fixture.ts";

export function topicCases(open: OpenTransport): void {
  test("declaring a topic twice leaves it and its messages as they are", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 3);
    const before = await it.transport.bounds("orders");
    await it.transport.declare(spec("orders"));
    expect(await it.transport.bounds("orders")).toEqual(before);
    expect(ids(await readAll(it.transport, "orders"))).toEqual(["m-1", "m-2", "m-3"]);
  });

  const differing: Record<string, Partial<TopicSpec>> = {
    partitions: { partitions: 5 },
    bytesMax: { bytesMax: 50_000 },
    retentionMs: { retentionMs: 3_600_000 },
    retentionBytes: { retentionBytes: 10_000_000 },
  };
  for (const [setting, change] of Object.entries(differing)) {
    test(`declaring a topic with other ${setting} is refused by the setting's name`, async () => {
      await using it = await open();
      const declared: TopicSpec = {
        ...spec("orders"),
        retentionMs: 86_400_000,
        retentionBytes: 1_000_000,
      };
      await it.transport.declare(declared);
      const error = await failure(it.transport.declare({ ...declared, ...change }));
      expect(error.code).toBe("TOPIC_MISMATCH");
      expect(error.message).toContain(setting);
      await it.transport.declare(declared);
    });
  }

  test("a topic that is not declared is unknown to bounds, reader and append", async () => {
    await using it = await open();
    expect((await failure(it.transport.bounds("nowhere"))).code).toBe("TOPIC_UNKNOWN");
    expect((await failure(readOn(it.transport, [start("nowhere")]))).code).toBe("TOPIC_UNKNOWN");
    expect(await append(it.transport, "nowhere", 0, messages(1, 1))).toMatchObject({
      ok: false,
      error: { code: "TOPIC_UNKNOWN" },
    });
  });

  test("bounds list every partition in order, under one name and with a log id", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 4));
    const bounds = await it.transport.bounds("orders");
    expect(bounds.map((one) => one.partition)).toEqual([0, 1, 2, 3]);
    expect(bounds.every((one) => one.topic === "orders" && one.logId !== "")).toBe(true);
  });

  test("an empty partition begins where it ends", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 3));
    await fill(it.transport, "orders", 1, 3);
    await it.leaveHole("orders", 2);
    const bounds = await it.transport.bounds("orders");
    for (const empty of bounds.slice(1)) expect(empty.firstOffset).toBe(empty.nextOffset);
  });

  test("bounds hold the messages between them, and one appended later is at the end or behind it", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const first = await fill(it.transport, "orders", 1, 3);
    const [bounds] = await it.transport.bounds("orders");
    expect(bounds!.firstOffset).toBeLessThanOrEqual(first.firstOffset);
    expect(bounds!.nextOffset).toBeGreaterThan(first.lastOffset);
    const second = await fill(it.transport, "orders", 4, 4);
    expect(second.firstOffset).toBeGreaterThanOrEqual(bounds!.nextOffset);
  });

  test("bounds name the log that append named", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const { logId } = await fill(it.transport, "orders", 1, 1);
    expect((await it.transport.bounds("orders"))[0]!.logId).toBe(logId);
  });

  test("bytes grow with what is stored", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    const bytes = async (): Promise<number> =>
      (await it.transport.bounds("orders")).reduce((sum, one) => sum + one.bytes, 0);
    const before = await bytes();
    await stored(it.transport, [
      { topic: "orders", partition: 0, messages: [message(1, { body: "x".repeat(50_000) })] },
    ]);
    expect(await bytes()).toBeGreaterThanOrEqual(before + 50_000);
  });

  test("a partition's offset at a time is that of the first message published then or later", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 2));
    await fill(it.transport, "orders", 1, 5);
    const all = await readAll(it.transport, "orders");
    const at = async (atMs: number): Promise<number | undefined> =>
      (await it.transport.bounds("orders", atMs))[0]!.offsetAt;
    expect(await at(all[2]!.atMs)).toBe(all[2]!.offset);
    expect(await at(all[2]!.atMs - 1)).toBe(all[2]!.offset);
    expect(await at(all[2]!.atMs + 1)).toBe(all[3]!.offset);
    expect(await at(0)).toBe(all[0]!.offset);
  });

  test("a partition's offset at a time that nothing has reached is its end", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders", 2));
    await fill(it.transport, "orders", 1, 5);
    const bounds = await it.transport.bounds("orders", message(6).atMs);
    for (const one of bounds) expect(one.offsetAt).toBe(one.nextOffset);
  });

  test("reported progress changes nothing that can be read", async () => {
    await using it = await open();
    await it.transport.declare(spec("orders"));
    await fill(it.transport, "orders", 1, 3);
    const { positions } = await readOn(it.transport, [start("orders")]);
    await it.transport.report("billing", positions);
    expect(ids((await readOn(it.transport, [start("orders")])).messages)).toEqual(["m-1", "m-2", "m-3"]);
  });
}
