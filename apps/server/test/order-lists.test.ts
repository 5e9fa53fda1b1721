import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { orderBody, testServer, type TestServer } from "./client.ts";

let shop: TestServer;
const placed: string[] = [];

async function place(who: string, over: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const customer = { id: who, email: "a@example.org" };
  const { body } = await shop.ask("POST", "/orders", orderBody({ customer, ...over }), { prefer: "wait=20" });
  placed.push(body.orderId);
}

beforeAll(async () => {
  shop = await testServer();
  await shop.stockUp("mug", 100);
  for (const who of ["ann", "bob", "ann"]) await place(who);
  await place("ann", { lines: [{ sku: "ghost", quantity: 1 }] });
  await place("b/ö b", { payment: { token: "tok_declined" } });
  await vi.waitUntil(async () => (await listOf("")).length === placed.length, 10_000);
});
afterAll(() => shop[Symbol.asyncDispose]());

async function listOf(query: string): Promise<string[]> {
  const { body } = await shop.ask("GET", `/orders?${query}`);
  return body.orders.map(({ orderId }: { orderId: string }) => orderId);
}

const newest = (...at: readonly number[]) => at.map((one) => placed[one]);

describe("orders", () => {
  test.each([
    ["all, the newest first", "", [4, 3, 2, 1, 0]],
    ["by customer", "customer=ann", [3, 2, 0]],
    ["by a customer with a strange id", "customer=b%2F%C3%B6%20b", [4]],
    ["by one who has none", "customer=an", []],
    ["by state", "state=completed", [2, 1, 0]],
    ["by a rare state", "state=rejected", [3]],
    ["by another one", "state=cancelled", [4]],
    ["by one that none is in", "state=unpaid", []],
    ["in need of a person", "attention=true", []],
    ["by customer and state", "customer=ann&state=completed", [2, 0]],
  ])("%s", async (_name, query, at) => {
    expect(await listOf(query)).toEqual(newest(...at));
  });

  test("by time, from one on and before another", async () => {
    const { body } = await shop.ask("GET", "/orders");
    const [, , third, second] = body.orders.map(({ placedAt }: { placedAt: string }) => placedAt);
    expect(await listOf(`from=${second}&to=${third}`)).toEqual(newest(1));
    expect(await listOf(`customer=ann&from=${third}`)).toEqual(newest(3, 2));
    expect(await listOf(`to=${second}`)).toEqual(newest(0));
  });

  test.each(["", "customer=ann&", "state=completed&"])("a page at a time: %s", async (query) => {
    const whole = await listOf(query);
    const walked: string[] = [];
    let path: string | undefined = `/orders?${query}limit=1`;
    for (let pages = 0; path !== undefined && pages < 20; pages++) {
      const { body } = await shop.ask("GET", path);
      expect(body.orders.length).toBeLessThanOrEqual(1);
      walked.push(...body.orders.map(({ orderId }: { orderId: string }) => orderId));
      path = body.next;
    }
    expect(path).toBeUndefined();
    expect(walked).toEqual(whole);
  });

  test("as they are, without card or lines", async () => {
    const { body } = await shop.ask("GET", "/orders?state=cancelled");
    expect(body.orders[0]).toEqual({
      orderId: placed[4],
      status: "cancelled",
      placedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      customer: { id: "b/ö b", email: "a@example.org" },
      currency: "EUR",
      total: 510,
      captured: 0,
      refunded: 0,
      lines: 1,
    });
  });

  test.each([
    ["state=lost", "state"],
    ["limit=0", "limit"],
    ["limit=201", "limit"],
    ["from=yesterday", "from"],
    ["to=2026-99-99", "to"],
    ["cursor=%20", "cursor"],
    ["colour=red", "colour"],
    ["state=placed&state=reserved", "state"],
    ["attention=false", "attention"],
  ])("asked for with %s are refused", async (query, field) => {
    const { status, body } = await shop.ask("GET", `/orders?${query}`);
    expect([status, body.errors?.[0]?.field]).toEqual([422, field]);
  });

  test("with a cursor of somebody's own making show nothing of another list", async () => {
    const cursor = Buffer.from("\u{10ffff}").toString("base64url");
    expect(await listOf(`customer=ann&cursor=${cursor}`)).toEqual([]);
  });
});
