import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testServer, type TestServer } from "./client.ts";

let shop: TestServer;
beforeAll(async () => {
  shop = await testServer();
});
afterAll(() => shop[Symbol.asyncDispose]());

const mug = { title: "A mug", price: "2.55", currency: "EUR" };

describe("products", () => {
  test("are put, read, changed and put again", async () => {
    const put = await shop.ask("PUT", "/products/mug%2Fred", mug);
    expect([put.status, put.body]).toEqual([200, { sku: "mug/red", ...mug, active: true }]);
    const again = await shop.ask("PUT", "/products/mug%2Fred", put.body);
    expect([again.status, again.body]).toEqual([200, put.body]);
    const changed = await shop.ask("PUT", "/products/mug%2Fred", { ...mug, price: "0.0001", active: false });
    expect(changed.body).toMatchObject({ price: "0.0001", active: false });
    expect((await shop.ask("GET", "/products/mug%2Fred")).body).toEqual(changed.body);
  });

  test("are listed page by page", async () => {
    for (const sku of ["p-1", "p-2", "p-3"]) await shop.ask("PUT", `/products/${sku}`, mug);
    const seen: string[] = [];
    let path: string | undefined = "/products?limit=2&after=p";
    while (path !== undefined) {
      const { status, body }: Awaited<ReturnType<TestServer["ask"]>> = await shop.ask("GET", path);
      expect(status).toBe(200);
      expect(body.products.length).toBeLessThanOrEqual(2);
      seen.push(...body.products.map(({ sku }: { sku: string }) => sku));
      path = body.next;
    }
    expect(seen).toEqual(["p-1", "p-2", "p-3"]);
  });

  test.each(["limit=0", "limit=1001", "limit=x", "limit=1.5", "offset=2"])("refuse ?%s", async (query) => {
    const { status, body } = await shop.ask("GET", `/products?${query}`);
    expect([status, body.errors[0].field]).toEqual([422, query.split("=")[0]]);
  });

  test.each([
    ["price", { ...mug, price: 2.55 }],
    ["price", { ...mug, price: "2.55555" }],
    ["price", { ...mug, price: "-1" }],
    ["title", { ...mug, title: "" }],
    ["currency", { ...mug, currency: "eur" }],
    ["active", { ...mug, active: "yes" }],
    ["sku", { ...mug, sku: "other" }],
    ["weight", { ...mug, weight: 1 }],
  ])("refuse a wrong %s", async (field, body) => {
    const answer = await shop.ask("PUT", "/products/mug", body);
    expect([answer.status, answer.body.errors[0].field]).toEqual([422, field]);
  });

  test("that nobody put are not found", async () => {
    expect((await shop.ask("GET", "/products/nothing")).status).toBe(404);
  });
});

describe("stock", () => {
  test("is adjusted once for each id, and read", async () => {
    const delivery = { adjustmentId: "d-1", quantity: 48, reason: "Delivery 1", lowAt: 12 };
    const first = await shop.ask("POST", "/stock/cup/adjustments", delivery);
    const stock = { sku: "cup", onHand: 48, reserved: 0, available: 48, lowAt: 12 };
    expect([first.status, first.body]).toEqual([200, { adjustmentId: "d-1", sku: "cup", stock }]);
    const again = await shop.ask("POST", "/stock/cup/adjustments", delivery);
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await shop.ask("GET", "/stock/cup")).body).toEqual(stock);
    const other = await shop.ask("POST", "/stock/saucer/adjustments", delivery);
    expect([other.status, other.body.type]).toEqual([409, "urn:waybill:problem:adjustment-conflict"]);
  });

  test("is adjusted once for each idempotency key", async () => {
    const key = { "idempotency-key": "plates" };
    const send = () => shop.ask("POST", "/stock/plate/adjustments", { quantity: 5, reason: "Delivery" }, key);
    const answers = await Promise.all([send(), send(), send()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await shop.ask("GET", "/stock/plate")).body.onHand).toBe(5);
  });

  test("is never adjusted below what is there, however often it is asked", async () => {
    const loss = { adjustmentId: "l-1", quantity: -3, reason: "Broken" };
    for (let time = 0; time < 2; time++) {
      const { status, body } = await shop.ask("POST", "/stock/bowl/adjustments", loss);
      expect([status, body.type]).toEqual([409, "urn:waybill:problem:adjustment-refused"]);
      expect(body.detail).toBe("Only 0 pieces are on hand.");
    }
  });

  test.each([
    ["quantity", { quantity: 0.5, reason: "r" }],
    ["quantity", { quantity: 2e9, reason: "r" }],
    ["reason", { quantity: 1 }],
    ["sku", { quantity: 1, reason: "r", sku: "cup" }],
    ["adjustmentId", { quantity: 1, reason: "r", adjustmentId: "" }],
    ["colour", { quantity: 1, reason: "r", colour: "red" }],
  ])("refuses a wrong %s", async (field, body) => {
    const answer = await shop.ask("POST", "/stock/cup/adjustments", body);
    expect([answer.status, answer.body.errors[0].field]).toEqual([422, field]);
  });

  test("that nobody has counted is not found", async () => {
    expect((await shop.ask("GET", "/stock/nothing")).status).toBe(404);
  });
});
