import { order as orderKind } from "@waybill/orders";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { testServer, type TestServer } from "./client.ts";
import { parkOrder, repaired } from "./parked.ts";

const fingerprint = "MESSAGE_INVALID message order.place";
let shop: TestServer;
beforeEach(async () => {
  shop = await testServer();
  await shop.stockUp("mug", 100);
});
afterEach(() => shop[Symbol.asyncDispose]());

const post = (path: string, body: object) => shop.ask("POST", path, body);
const keys = async (query = "") =>
  (await shop.ask("GET", `/parked/orders${query}`)).body.keys.map(({ key }: { key: string }) => key);

/** What the book of operations has, oldest first in each partition. */
async function book(): Promise<readonly { type: string; body: Record<string, unknown> }[]> {
  const transport = shop.server.shop.engine.durable.transportOf("operations");
  const bounds = await transport.bounds("operations");
  await using reader = transport.reader(bounds.map((one) => ({ ...one, nextOffset: one.firstOffset })));
  const { messages } = await reader.fetch({ messages: 100, bytes: 1e6, waitMs: 0 }, new AbortController().signal);
  return messages.map(({ type, body }) => ({ type, body: JSON.parse(String(body)) }));
}

describe("what is parked", () => {
  test("is shown by how it failed, with one sample", async () => {
    expect((await shop.ask("GET", "/parked")).body).toEqual({ groups: [] });
    await parkOrder(shop, "o-1");
    await parkOrder(shop, "o-2");
    const { body } = await shop.ask("GET", "/parked");
    expect(body.groups).toMatchObject([
      {
        service: "orders",
        fingerprint,
        keys: 2,
        waiting: 0,
        attemptsMax: 1,
        sample: {
          key: "o-1",
          error: expect.stringContaining("currency"),
          input: { kind: "message", type: "order.place", origin: { topic: "orders-in" }, body: { orderId: "o-1" } },
        },
      },
    ]);
    expect(Date.parse(body.groups[0].oldestAt)).toBeLessThanOrEqual(Date.parse(body.groups[0].newestAt));
  });

  test("is shown key by key and input by input, a page at a time", async () => {
    for (const id of ["o-1", "o-2", "o-3"]) await parkOrder(shop, id);
    await parkOrder(shop, "o-1", { orderId: "o-1", again: true });
    expect(await keys()).toEqual(["o-1", "o-2", "o-3"]);
    expect(await keys("?fingerprint=other")).toEqual([]);
    const { body } = await shop.ask("GET", "/parked/orders?limit=2");
    expect(body.keys).toHaveLength(2);
    const { body: rest } = await shop.ask("GET", body.next);
    expect([rest.keys.map(({ key }: { key: string }) => key), rest.next]).toEqual([["o-3"], undefined]);
    await vi.waitUntil(async () => (await shop.ask("GET", "/parked/orders/o-1")).body.inputs.length === 2, 10_000);
    const { body: one } = await shop.ask("GET", "/parked/orders/o-1");
    expect(one.inputs.map((input: { body: unknown }) => input.body)).toEqual([
      { orderId: "o-1" },
      { orderId: "o-1", again: true },
    ]);
  });

  test.each([
    ["GET", "/parked/nobody", undefined, 404],
    ["GET", "/parked/orders/o-9", undefined, 404],
    ["GET", "/parked/orders?limit=0", undefined, 422],
    ["POST", "/parked/orders/redrive", {}, 422],
    ["POST", "/parked/orders/redrive", { key: "a", fingerprint: "b" }, 422],
    ["POST", "/parked/orders/redrive", { fingerprint, body: {} }, 422],
    ["POST", "/parked/orders/redrive", { key: "o-9" }, 404],
    ["POST", "/parked/nobody/redrive", { key: "o-9" }, 404],
    ["POST", "/parked/orders/o-9/1/discard", { reason: "No." }, 404],
    ["POST", "/parked/orders/o-9/1/discard", {}, 422],
  ])("%s %s with %j is refused", async (method, path, body, status) => {
    expect((await shop.ask(method, path, body)).status).toBe(status);
  });
});

describe("a redrive", () => {
  test("tries again in order, says what came of it, and stands in the book", async () => {
    await parkOrder(shop, "o-1");
    await parkOrder(shop, "o-2");
    const { status, body } = await post("/parked/orders/redrive", { fingerprint, limit: 1 });
    expect([status, body]).toMatchObject([200, { dryRun: false, results: [{ key: "o-1", outcome: "failed" }] }]);
    const { body: rest } = await post("/parked/orders/redrive", { fingerprint, after: body.next });
    expect([rest.results.map(({ key }: { key: string }) => key), rest.next]).toEqual([["o-2"], undefined]);
    expect((await shop.ask("GET", "/parked/orders/o-1")).body.attempts).toBe(2);
    const told = { service: "orders", by: "local", fingerprint, edited: false, keys: 1 };
    expect((await book()).map(({ body: one }) => one)).toEqual([told, told]);
  });

  test("with another body mends the key for good", async () => {
    await parkOrder(shop, "o-1");
    const { body } = await post("/parked/orders/redrive", { key: "o-1", body: repaired("o-1") });
    expect(body.results).toEqual([{ key: "o-1", outcome: "done" }]);
    expect(await keys()).toEqual([]);
    await vi.waitUntil(async () => (await shop.ask("GET", "/orders/o-1")).body.status === "completed", 10_000);
  });

  test("takes no body that does not fit, and names its field", async () => {
    await parkOrder(shop, "o-1");
    const wrong = { ...repaired("o-1"), currency: "XXX" };
    const { status, body } = await post("/parked/orders/redrive", { key: "o-1", body: wrong });
    expect([status, body.errors[0].field]).toEqual([422, "body.currency"]);
    expect((await shop.ask("GET", "/parked/orders/o-1")).body.attempts).toBe(1);
  });

  test("that is dry shows what it would do and keeps nothing", async () => {
    await parkOrder(shop, "o-1");
    const dry = { key: "o-1", body: repaired("o-1"), dryRun: true };
    const { body } = await post("/parked/orders/redrive", dry);
    expect(body).toMatchObject({
      dryRun: true,
      results: [
        {
          key: "o-1",
          type: "order.place",
          would: {
            kind: "done",
            saved: [{ state: "order", id: "o-1", value: { status: "placed" } }],
            sent: [{ type: "order.placed" }],
          },
        },
      ],
    });
    expect(await shop.server.shop.engine.durable.state("orders", orderKind, "o-1")).toBeUndefined();
    expect((await shop.ask("GET", "/parked/orders/o-1")).body.attempts).toBe(1);
    expect(await book()).toEqual([]);
    const { body: bare } = await post("/parked/orders/redrive", { fingerprint, dryRun: true });
    expect(bare.results[0].would).toMatchObject({ kind: "failed", code: "MESSAGE_INVALID" });
  });
});

describe("a discard", () => {
  test("gives up one input, and the book keeps who did it, what it was and why", async () => {
    await parkOrder(shop, "o-1");
    const [{ seq, id }] = (await shop.ask("GET", "/parked/orders/o-1")).body.inputs;
    const path = `/parked/orders/o-1/${seq}/discard`;
    const { status, body } = await post(path, { reason: "A test of somebody's." });
    expect([status, body.left, body.discarded.id]).toEqual([200, 0, id]);
    expect(await keys()).toEqual([]);
    expect((await post(path, { reason: "Again." })).status).toBe(404);
    const [{ type, body: told } = { type: "", body: {} }] = await book();
    expect([type, told]).toMatchObject([
      "parked.discard",
      { service: "orders", by: "local", key: "o-1", seq, id, fingerprint, reason: "A test of somebody's." },
    ]);
    expect(JSON.parse(String(told["origin"]))).toMatchObject({ topic: "orders-in" });
  });

  test("in a process that does not hold the lane says where to ask", async () => {
    await parkOrder(shop, "o-1");
    const [{ seq }] = (await shop.ask("GET", "/parked/orders/o-1")).body.inputs;
    await shop.server.shop.worker.close();
    const { status, body } = await post(`/parked/orders/o-1/${seq}/discard`, { reason: "No." });
    expect([status, body.type]).toEqual([409, "urn:waybill:problem:parked-elsewhere"]);
    const { body: tried } = await post("/parked/orders/redrive", { key: "o-1" });
    expect(tried.results).toEqual([{ key: "o-1", outcome: "elsewhere" }]);
  });
});
