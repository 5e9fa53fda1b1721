import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { orderBody, testServer, type TestServer } from "./client.ts";

let shop: TestServer;
beforeAll(async () => {
  shop = await testServer({ dispatchAfterMs: 50 });
  await shop.stockUp("mug", 10_000);
  await shop.stockUp("rare", 1);
});
afterAll(() => shop[Symbol.asyncDispose]());

const wait = { prefer: "wait=20" };

describe("placing an order", () => {
  test("is answered at once with 202, its id and its place", async () => {
    const { status, headers, body } = await shop.ask("POST", "/orders", orderBody());
    expect(status).toBe(202);
    expect(body.orderId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(["accepted", "placed", "reserved"]).toContain(body.status);
    expect(headers.get("location")).toBe(`/orders/${body.orderId}`);
    const found = await shop.ask("GET", headers.get("location")!);
    expect([found.status, found.body.orderId]).toEqual([200, body.orderId]);
  });

  test("with a wait is answered with the completed order and every message of its life", async () => {
    const { status, headers, body } = await shop.ask("POST", "/orders", orderBody(), wait);
    expect([status, headers.get("preference-applied")]).toEqual([200, "wait=20"]);
    expect(body).toMatchObject({
      status: "completed",
      customer: { id: "c-1", email: "ann@example.org" },
      currency: "EUR",
      total: 510,
      captured: 510,
      refunded: 0,
      lines: [{ sku: "mug", quantity: 2, unitPrice: "2.55", amount: 510 }],
    });
    expect(JSON.stringify(body)).not.toContain("tok_");
    const life = await vi.waitUntil(async () => {
      const { body: now } = await shop.ask("GET", headers.get("location")!);
      return now.history.some(({ type }: { type: string }) => type === "stock.shipped") ? now.history : undefined;
    });
    expect(life.map(({ type }: { type: string }) => type).sort()).toEqual(
      [
        "order.place",
        "order.placed",
        "stock.reserved",
        "order.reserved",
        "payment.authorised",
        "order.confirmed",
        "shipment.dispatched",
        "order.shipped",
        "stock.shipped",
        "payment.captured",
        "order.completed",
      ].sort(),
    );
    for (const entry of life) {
      const { engine } = shop.server.shop;
      const message = await engine.durable.transportOf(entry.topic).read(entry.topic, entry.partition, entry.offset);
      expect(message).toMatchObject({ id: entry.id, type: entry.type, subject: body.orderId });
      expect(entry.at).toBe(new Date(message!.atMs).toISOString());
    }
  });

  test("with a wait that is too short is answered with 202", async () => {
    const slow = orderBody({ payment: { token: "tok_slow" } });
    const { status, headers, body } = await shop.ask("POST", "/orders", slow, { prefer: "respond-async, wait=0" });
    expect([status, headers.get("preference-applied")]).toEqual([202, "wait=0"]);
    expect(body.status).not.toBe("completed");
  });

  test("that the shop cannot sell is rejected with each reason", async () => {
    const lines = [
      { sku: "unheard-of", quantity: 1 },
      { sku: "mug", quantity: 1 },
    ];
    const unknown = await shop.ask("POST", "/orders", orderBody({ lines }), wait);
    expect(unknown.body).toMatchObject({
      status: "rejected",
      reason: "lines-refused",
      problems: [{ line: 0, sku: "unheard-of", problem: "unknown-sku" }],
    });
    const foreign = await shop.ask("POST", "/orders", orderBody({ currency: "USD" }), wait);
    expect(foreign.body).toMatchObject({ status: "rejected", problems: [{ sku: "mug", problem: "wrong-currency" }] });
    const short = await shop.ask("POST", "/orders", orderBody({ lines: [{ sku: "rare", quantity: 3 }] }), wait);
    expect(short.body).toMatchObject({
      status: "rejected",
      reason: "out-of-stock",
      short: [{ sku: "rare", wanted: 3, available: 1, short: 2 }],
    });
  });

  test("whose card is declined is cancelled", async () => {
    const { body } = await shop.ask("POST", "/orders", orderBody({ payment: { token: "tok_declined" } }), wait);
    expect(body).toMatchObject({ status: "cancelled", reason: "payment-declined", detail: "card_declined" });
  });
});

describe("an idempotency key", () => {
  const key = (text: string) => ({ "idempotency-key": text });

  test("is the order's id: the same content again is the same order", async () => {
    const first = await shop.ask("POST", "/orders", orderBody(), key("once"));
    const again = await shop.ask("POST", "/orders", orderBody(), { ...key("once"), ...wait });
    expect([first.status, again.status]).toEqual([202, 200]);
    expect(again.body.orderId).toBe(first.body.orderId);
    expect(first.body.orderId).toBe("7413cbe5-07c7-8a8b-907c-9d1f32cf3479");
    expect(again.body.history.filter(({ type }: { type: string }) => type === "order.placed")).toHaveLength(1);
  });

  test("with other content is a conflict, also at the same moment", async () => {
    const others = [1, 2, 3, 4].map((quantity) => orderBody({ lines: [{ sku: "mug", quantity }] }));
    const answers = await Promise.all(others.map((body) => shop.ask("POST", "/orders", body, key("race"))));
    expect(answers.map(({ status }) => `${status}`).sort()).toEqual(["202", "409", "409", "409"]);
    const won = answers.find(({ status }) => status === 202)!;
    const lost = answers.find(({ status }) => status === 409)!;
    expect(lost.body).toMatchObject({
      type: "urn:waybill:problem:order-conflict",
      status: 409,
      orderId: won.body.orderId,
    });
    expect(lost.headers.get("content-type")).toContain("application/problem+json");
    const later = await shop.ask("POST", "/orders", orderBody({ currency: "USD" }), key("race"));
    expect(later.status).toBe(409);
  });

  test("that is no key is refused", async () => {
    const { status, body } = await shop.ask("POST", "/orders", orderBody(), key("x".repeat(256)));
    expect([status, body.errors[0].field]).toEqual([422, "Idempotency-Key"]);
  });
});

describe("cancelling an order", () => {
  test("before it leaves gives it back", async () => {
    const held = orderBody({ payment: { token: "tok_slow" }, lines: [{ sku: "rare", quantity: 1 }] });
    const { body: placed } = await shop.ask("POST", "/orders", held);
    await vi.waitUntil(async () => (await shop.ask("GET", "/stock/rare")).body.reserved === 1);
    const answer = await shop.ask("POST", `/orders/${placed.orderId}/cancel`, { reason: "Changed my mind." }, wait);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ status: "cancelled", reason: "requested", detail: "Changed my mind." });
    await vi.waitUntil(async () => (await shop.ask("GET", "/stock/rare")).body.available === 1);
    const again = await shop.ask("POST", `/orders/${placed.orderId}/cancel`);
    expect([again.status, again.body.status]).toEqual([200, "cancelled"]);
  });

  test("after it has left is refused", async () => {
    const { body } = await shop.ask("POST", "/orders", orderBody(), wait);
    const answer = await shop.ask("POST", `/orders/${body.orderId}/cancel`);
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({
      type: "urn:waybill:problem:cancel-refused",
      detail: "The goods have left.",
      orderStatus: "completed",
    });
  });

  test("that nobody placed, or with an unknown field, is refused", async () => {
    expect((await shop.ask("POST", "/orders/nobody/cancel")).status).toBe(404);
    const { body } = await shop.ask("POST", "/orders", orderBody());
    const answer = await shop.ask("POST", `/orders/${body.orderId}/cancel`, { why: "so" });
    expect([answer.status, answer.body.errors[0].field]).toEqual([422, "why"]);
  });
});

test("an order that nobody placed is not found", async () => {
  const { status, body } = await shop.ask("GET", "/orders/nobody");
  expect([status, body.type]).toEqual([404, "urn:waybill:problem:not-found"]);
});

test("pretty lays an answer out for people, one message a line", async () => {
  const { text } = await shop.ask("POST", "/orders?pretty", orderBody(), wait);
  const lines = text.split("\n");
  expect(lines.filter((line) => line.includes('"topic": "orders"') && line.includes('"offset": '))).toHaveLength(5);
  expect(text.endsWith("}\n")).toBe(true);
});
