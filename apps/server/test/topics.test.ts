import { describe as describeShop, shopContract, shopServices } from "@waybill/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { orderBody, testServer, type TestServer } from "./client.ts";

let shop: TestServer;
let orderId: string;
beforeAll(async () => {
  shop = await testServer();
  await shop.stockUp("mug", 10);
  orderId = (await shop.ask("POST", "/orders", orderBody(), { prefer: "wait=20" })).body.orderId;
});
afterAll(() => shop[Symbol.asyncDispose]());

const read = async (path: string, headers?: Record<string, string>) =>
  (await shop.ask("GET", `/topics/${path}`, undefined, headers)).body;
const product = (title: string) => ({ title, price: "2.55", currency: "EUR" });
const types = (page: { messages: readonly { type: string }[] }) => page.messages.map(({ type }) => type);

describe("topics", () => {
  test("are all there, with how much they hold", async () => {
    const { body } = await shop.ask("GET", "/topics");
    expect(body.topics.map(({ topic }: { topic: string }) => topic)).toEqual(
      shopContract().topics.map(({ name }) => name),
    );
    const orders = body.topics.find(({ topic }: { topic: string }) => topic === "orders");
    expect(orders).toMatchObject({ transport: "embedded", partitions: 32, messages: 5 });
    expect(orders.bytes).toBeGreaterThan(500);
    // Those of several partitions are counted once, though the partitions share their offsets.
    for (const sku of ["cup", "hat", "pen", "bag"]) await shop.ask("PUT", `/products/${sku}`, product(sku));
    const { topics } = (await shop.ask("GET", "/topics")).body;
    expect(topics.find(({ topic }: { topic: string }) => topic === "catalogue-in").messages).toBe(5);
  });

  test("show their last messages, without anybody's token", async () => {
    const page = await read("orders/messages");
    expect(types(page)).toEqual([
      "order.placed",
      "order.reserved",
      "order.confirmed",
      "order.shipped",
      "order.completed",
    ]);
    expect(page.messages[1]).toMatchObject({ subject: orderId, body: { orderId, token: "…" } });
    expect(types(await read("orders/messages?limit=2"))).toEqual(["order.shipped", "order.completed"]);
    expect(types(await read("orders/messages?type=order.placed"))).toEqual(["order.placed"]);
    expect(types(await read("orders/messages?subject=nobody"))).toEqual([]);
  });

  test("show the last messages of all, where many partitions have as many as are asked for", async () => {
    const skus = Array.from({ length: 60 }, (_, n) => `last-${n}`);
    for (const sku of skus) await shop.ask("PUT", `/products/${sku}`, product(sku));
    const subjects = (page: { messages: readonly { subject: string }[] }) =>
      page.messages.map(({ subject }) => subject);
    const page = await read("products/messages?limit=3");
    expect(subjects(page)).toEqual(["last-57", "last-58", "last-59"]);
    await shop.ask("PUT", "/products/last-60", product("last-60"));
    expect(subjects(await read(`products/messages?after=${page.place}`))).toEqual(["last-60"]);
  });

  test("show what comes after a place, and wait for it", async () => {
    const { place } = await read("orders/messages");
    const waiting = read(`orders/messages?after=${place}&type=order.placed`, { prefer: "wait=20" });
    await shop.ask("POST", "/orders", orderBody(), { prefer: "wait=20" });
    expect(types(await waiting)).toEqual(["order.placed"]);
    const whole = await read(`orders/messages?after=${place}`);
    expect(types(whole)).toContain("order.completed");
    expect(types(await read(`orders/messages?after=${whole.place}`))).toEqual([]);
  });

  test("begin anew at a place that means nothing", async () => {
    expect(types(await read("orders/messages?after=nonsense")).length).toBeGreaterThanOrEqual(5);
    expect((await shop.ask("GET", "/topics/nowhere/messages")).status).toBe(404);
  });
});

test("a description tells who sends and who reads what", () => {
  const { topics, messages } = shopContract();
  const told = describeShop(shopServices(), topics, messages);
  expect(told.messages.find(({ type }) => type === "order.placed")).toEqual({
    type: "order.placed",
    kind: "event",
    version: 1,
    topic: "orders",
    senders: ["orders"],
    readers: ["inventory", "listing"],
  });
  expect(told.topics.find(({ topic }) => topic === "orders-in")).toMatchObject({ door: true, readers: ["orders"] });
  expect(told.services.find(({ service }) => service === "payments")).toMatchObject({
    reads: ["orders", "shipments", "payments-in"],
    effects: expect.arrayContaining(["payment.authorise", "payment.capture"]),
  });
});
