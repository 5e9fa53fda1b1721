import { orderPlace } from "@waybill/contracts";
import { order as orderKind, type Order } from "@waybill/orders";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openJourneys } from "../src/journey.ts";
import { orderBody, testServer, type TestServer } from "./client.ts";

const count = 500;
let shop: TestServer;
beforeAll(async () => {
  shop = await testServer();
  await shop.stockUp("mug", 1_000_000);
});
afterAll(() => shop[Symbol.asyncDispose]());

const orderOf = (orderId: string) => shop.server.shop.engine.durable.state<Order>("orders", orderKind, orderId);

test("every message of each of many orders is found at its own place", async () => {
  const { publisher, engine } = shop.server.shop;
  const place = orderBody() as Pick<Parameters<typeof publish>[0], "customer" | "lines" | "payment">;
  const publish = (body: (typeof orderPlace.samples)[0]) => publisher.publish(orderPlace, body);
  const ids = Array.from({ length: count }, (_, n) => `order-${n}`);
  await Promise.all(ids.map((orderId) => publish({ orderId, placedAtMs: 1, currency: "EUR", ...place })));
  const isOver = (order: Order | undefined) => order?.status === "completed";
  await vi.waitUntil(async () => (await Promise.all(ids.map(orderOf))).every(isOver), {
    timeout: 25_000,
    interval: 50,
  });

  const journeys = openJourneys(engine);
  for (const orderId of ids.filter((_, n) => n % 25 === 0)) {
    const types: string[] = [];
    await vi.waitUntil(async () => {
      const entries = await journeys.of((await orderOf(orderId))!);
      types.splice(0, Infinity, ...entries.map(({ type }) => type));
      return types.includes("stock.shipped");
    });
    expect([orderId, types.length, new Set(types).size]).toEqual([orderId, 11, 11]);
    const entries = await journeys.of((await orderOf(orderId))!);
    for (const { topic, partition, offset, id } of entries) {
      const message = await engine.durable.transportOf(topic!).read(topic!, partition, offset!);
      expect(message).toMatchObject({ id, subject: orderId });
    }
    expect(entries.map(({ at }) => at)).toEqual(entries.map(({ at }) => at).toSorted());
  }
});

test("a message that the log no longer holds is told without its place", async () => {
  const known = (await orderOf("order-0"))!;
  const gone = {
    ...known,
    history: known.history.map(([type, , , , atMs], n) => [type, 0, null, `gone-${n}`, atMs] as const),
  };
  const entries = await openJourneys(shop.server.shop.engine).of({ ...gone, orderId: "nobody" });
  expect(entries.map(({ offset }) => offset)).toEqual(known.history.map(() => undefined));
});
