import type { OutgoingMessage, SentRow } from "@waybill/messaging";
import { expect, test } from "vitest";
import { batch, commit, id, limit, outgoing, owned, sorted, type OpenStore } from "./store-fixture.ts";
import { hex, plain } from "./transport-fixture.ts";

const payments = { topic: "payments", partition: 0 };

export function outboxCases(open: OpenStore): void {
  test("the cases' topics are not hosted by the store", async () => {
    await using it = await open();
    for (const topic of ["orders", "payments", "shipments"]) expect(it.store.hosts(topic)).toBe(false);
  });

  test("messages to a destination come in order of their number, behind the one asked for", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), {
      count: 3,
      messages: [outgoing(1, 0), outgoing(2, 1), outgoing(3, 2)],
    });
    await commit(it.store, row, { count: 2, messages: [outgoing(4, 3), outgoing(10, 4)] });
    expect(numbers(await it.store.outbox(id(0), payments, 0, limit))).toEqual([1, 2, 3, 4, 10]);
    expect(numbers(await it.store.outbox(id(0), payments, 2, limit))).toEqual([3, 4, 10]);
    expect(numbers(await it.store.outbox(id(0), payments, 2, 2))).toEqual([3, 4]);
    expect(await it.store.outbox(id(0), payments, 10, limit)).toEqual([]);
  });

  test("a message comes back whole, with its stamp and its body byte for byte", async () => {
    await using it = await open();
    const whole = outgoing(1, 0, {
      id: "größe 😀",
      schema: 5,
      subject: "s'ü",
      key: 'k"',
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      body: JSON.stringify({ text: "a\u0000\ud800" }),
    });
    const bytes = outgoing(2, 1, { causation: undefined, body: new Uint8Array([0xff, 0x00, 0xc3, 0x28]) });
    await commit(it.store, await owned(it.store), { count: 2, messages: [whole, bytes] });
    const found = await it.store.outbox(id(0), payments, 0, limit);
    expect(found.map(plain)).toEqual([whole, bytes].map(plain));
    expect(found[0]).toMatchObject(payments);
    expect(hex(found[1]!.body)).toBe("ff00c328");
  });

  test("destinations and lanes have queues of their own", async () => {
    await using it = await open();
    const first = await owned(it.store, 0);
    const second = await owned(it.store, 1);
    const messages = [
      outgoing(1, 0),
      outgoing(2, 0, { partition: 1 }),
      outgoing(3, 0, { topic: "shipments" }),
      outgoing(4, 1),
    ];
    await commit(it.store, first, { count: 4, messages });
    await commit(it.store, second, { count: 1, messages: [outgoing(1, 0, { id: "of-lane-1" })] });
    expect(numbers(await it.store.outbox(id(0), payments, 0, limit))).toEqual([1, 4]);
    expect(numbers(await it.store.outbox(id(0), { ...payments, partition: 1 }, 0, limit))).toEqual([2]);
    expect(numbers(await it.store.outbox(id(0), { ...payments, topic: "shipments" }, 0, limit))).toEqual([3]);
    expect((await it.store.outbox(id(1), payments, 0, limit)).map((one) => one.id)).toEqual(["of-lane-1"]);
  });

  test("a new owner learns what lies in the outbox and how far it is confirmed", async () => {
    await using it = await open();
    const messages = [outgoing(1, 0), outgoing(2, 1), outgoing(3, 0, { partition: 7 }), outgoing(5, 2)];
    let row = await commit(it.store, await owned(it.store), { count: 5, messages });
    row = await commit(it.store, row, { sent: [sent(1), sent(3, 7)] });
    await commit(it.store, row, { sent: [sent(2)] });
    const recovered = await it.peer.recover(id(0));
    expect(sorted(recovered.outbox)).toEqual(
      sorted([
        { ...payments, firstN: 1, lastN: 5 },
        { topic: "payments", partition: 7, firstN: 3, lastN: 3 },
      ]),
    );
    expect(sorted(recovered.sent)).toEqual(sorted([sent(2), sent(3, 7)]));
    expect((await it.peer.recover(id(1))).sent).toEqual([]);
  });

  test("a trim deletes up to its number, of its destination and lane only", async () => {
    await using it = await open();
    const messages = [outgoing(1, 0), outgoing(2, 1), outgoing(3, 2), outgoing(4, 0, { partition: 1 })];
    await commit(it.store, await owned(it.store, 0), { count: 4, messages });
    await commit(it.store, await owned(it.store, 1), { count: 1, messages: [outgoing(1, 0)] });
    await it.store.trimOutbox(id(0), [sent(2)]);
    expect(numbers(await it.store.outbox(id(0), payments, 0, limit))).toEqual([3]);
    expect(numbers(await it.store.outbox(id(0), { ...payments, partition: 1 }, 0, limit))).toEqual([4]);
    expect(numbers(await it.store.outbox(id(1), payments, 0, limit))).toEqual([1]);
  });

  test("a destination that is trimmed empty is no longer in the outbox, and still known as confirmed", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), {
      count: 2,
      messages: [outgoing(1, 0), outgoing(2, 1)],
      sent: [sent(2)],
    });
    await it.store.trimOutbox(id(0), [sent(2)]);
    await it.store.trimOutbox(id(0), [sent(2), sent(9, 5)]);
    expect(await it.store.recover(id(0))).toMatchObject({ outbox: [], sent: [sent(2)] });
    await commit(it.store, row, { count: 1, messages: [outgoing(3, 2)] });
    expect(numbers(await it.store.outbox(id(0), payments, 2, limit))).toEqual([3]);
  });

  test("a trim right after a commit that is applied deletes what it is told and nothing later", async () => {
    await using it = await open();
    const row = await commit(it.store, await owned(it.store), { count: 1, messages: [outgoing(1, 0)] });
    const { durable } = it.store.commit(batch(row, { count: 1, messages: [outgoing(2, 1)] }));
    await it.store.trimOutbox(id(0), [sent(1)]);
    await durable;
    expect(numbers(await it.store.outbox(id(0), payments, 0, limit))).toEqual([2]);
  });
}

function sent(n: number, partition = 0): SentRow {
  return { topic: "payments", partition, n, logId: "log-1", lastOffset: n + 100 };
}

function numbers(list: readonly OutgoingMessage[]): number[] {
  return list.map((one) => one.stamp.n);
}
