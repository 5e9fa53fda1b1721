import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestGateway, type TestGateway } from "./test-gateway.ts";

let shop: TestGateway;
beforeAll(async () => {
  shop = await openTestGateway();
});
afterAll(() => shop[Symbol.asyncDispose]());

const order = { reference: "order-1", amount: 1_000, currency: "EUR", token: "tok_approved" };

describe("a payment's life", () => {
  test("authorised, captured in part, refunded in parts; the ledger and the totals tell it", async () => {
    await using own = await openTestGateway();
    const { paymentId } = (await own.post("/payments", "a", { ...order, amount: 2_500 })).body;
    const path = `/payments/${paymentId}`;
    expect((await own.capture(paymentId, "c", 2_000)).body).toMatchObject({
      kind: "capture",
      amount: 2_000,
    });
    expect((await own.post(`${path}/refund`, "r1", { amount: 500, currency: "EUR" })).status).toBe(200);
    const tooMuch = await own.post(`${path}/refund`, "r2", { amount: 1_501, currency: "EUR" });
    expect([tooMuch.status, tooMuch.body.code]).toEqual([402, "amount_exceeds_captured"]);
    expect((await own.post(`${path}/void`, "v")).body.code).toBe("already_captured");
    expect((await own.get(path)).body).toMatchObject({
      state: "captured",
      authorised: 2_500,
      captured: 2_000,
      refunded: 500,
    });
    const lines = (await own.ledger()).map(({ n, key, kind, amount, result, reference }) => [
      n,
      key,
      kind,
      amount,
      result,
      reference,
    ]);
    expect(lines).toEqual([
      [1, "a", "authorise", 2_500, "approved", "order-1"],
      [2, "c", "capture", 2_000, "approved", "order-1"],
      [3, "r1", "refund", 500, "approved", "order-1"],
      [4, "r2", "refund", 1_501, "refused", "order-1"],
      [5, "v", "void", 2_500, "refused", "order-1"],
    ]);
    const { body: totals } = await own.get("/totals");
    expect(totals).toMatchObject({ operations: 5, balanced: true });
    expect(totals.accounts).toEqual([
      { account: "cardholders", currency: "EUR", debit: 1_000, credit: 2_500, balance: -1_500 },
      { account: "holds", currency: "EUR", debit: 2_500, credit: 2_500, balance: 0 },
      { account: "merchant", currency: "EUR", debit: 2_000, credit: 500, balance: 1_500 },
    ]);
    expect((await own.get("/audit")).body).toEqual({ findings: [] });
  });

  test("payments are found by their reference, each with its own id", async () => {
    const reference = "order twice";
    const ids = [];
    for (const key of ["twice-1", "twice-2"])
      ids.push((await shop.post("/payments", key, { ...order, reference })).body.paymentId);
    const { body } = await shop.get(`/payments?reference=${encodeURIComponent(reference)}`);
    expect(body.payments.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect((await shop.get("/payments?reference=nobody")).body).toEqual({ payments: [] });
  });

  test("the ledger is read in pages and in one stream of many chunks", async () => {
    await using own = await openTestGateway();
    await Promise.all(Array.from({ length: 1_203 }, (_, i) => own.authorise(`page-${i}`)));
    const all = await own.ledger();
    expect(all.map(({ n }) => n)).toEqual(Array.from({ length: 1_203 }, (_, i) => i + 1));
    const page = await own.ledger("?after=1200&limit=2");
    expect(page).toEqual(all.slice(1_200, 1_202));
    expect(await own.ledger("?after=1203")).toEqual([]);
  });
});

describe("bad input is answered with a problem that names the field", () => {
  const bodies: readonly [string, unknown, string][] = [
    ["no amount", { ...order, amount: undefined }, "amount"],
    ["a fraction", { ...order, amount: 9.99 }, "amount"],
    ["zero", { ...order, amount: 0 }, "amount"],
    ["a text for a number", { ...order, amount: "1000" }, "amount"],
    ["an endless number", { ...order, amount: 1e300 }, "amount"],
    ["a small currency", { ...order, currency: "eur" }, "currency"],
    ["a control character", { ...order, reference: "a\u0000b" }, "reference"],
    ["half a surrogate pair", { ...order, reference: "\ud800" }, "reference"],
    ["a long reference", { ...order, reference: "x".repeat(201) }, "reference"],
    ["an unknown token", { ...order, token: "tok_nothing" }, "token"],
    ["a token from the prototype", { ...order, token: "constructor" }, "token"],
    ["something unknown", { ...order, cvc: "123" }, "cvc"],
    ["a list", [], "body"],
    ["null", "null", "body"],
    ["broken JSON", '{"amount":', "request"],
    ["nothing", "", "request"],
  ];
  test.each(bodies)("%s", async (_name, body, field) => {
    const answer = await shop.post("/payments", "bad", body);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(answer.body).toMatchObject({
      type: "about:blank",
      status: answer.status,
      code: expect.any(String),
    });
    expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
    expect(answer.body.detail.length).toBeGreaterThan(field.length);
    expect((await shop.get("/operations?key=bad")).status).toBe(404);
  });

  test("all wrong fields are named at once", async () => {
    const { status, body } = await shop.post("/payments", "bad", {
      amount: -1,
      currency: "euro",
      token: "x",
    });
    expect(status).toBe(422);
    const fields = body.errors.map(({ field }: { field: string }) => field);
    expect(fields.toSorted()).toEqual(["amount", "currency", "reference", "token"]);
    expect(body.detail).toContain("currency: has to be an ISO 4217 code of three capital letters, like EUR");
  });

  test.each([undefined, "", "two words", "x".repeat(256), "a,\tb"])("the key %j", async (key) => {
    const { status, body } = await shop.post("/payments", key, order);
    expect([status, body.errors[0].field]).toEqual([422, "Idempotency-Key"]);
  });

  test.each([
    ["GET", "/operations", 422, "key"],
    ["GET", "/operations?key=a&key=b", 422, "key"],
    ["GET", "/operations?key=unheard-of", 404, "key"],
    ["GET", "/ledger?after=-1", 422, "after"],
    ["GET", "/ledger?limit=ten", 422, "limit"],
    ["GET", "/payments/pay_other_1", 404, "id"],
    ["GET", "/nowhere", 404, "path"],
  ] as const)("%s %s", async (_method, path, status, field) => {
    const answer = await shop.get(path);
    expect([answer.status, answer.body.errors[0].field]).toEqual([status, field]);
  });

  test("a broken path and a wrong media type", async () => {
    expect((await shop.get("/payments/%zz")).body).toMatchObject({
      status: 400,
      errors: [{ field: "request" }],
    });
    const response = await fetch(`${shop.gateway.url}/payments`, {
      method: "POST",
      headers: { "idempotency-key": "k" },
      body: "plain",
    });
    expect([response.status, response.headers.get("content-type")]).toEqual([
      415,
      expect.stringContaining("problem+json"),
    ]);
  });

  test("a payment of another ledger, or of another order, is not touched", async () => {
    const { paymentId } = (await shop.authorise("mine")).body;
    const foreign = String(paymentId).replace(/_[0-9a-f]+_/, "_00000000_");
    expect((await shop.capture(foreign, "foreign")).body).toMatchObject({
      status: 404,
      code: "payment_unknown",
    });
    const body = { reference: "order-other", amount: 1_000, currency: "EUR" };
    const other = await shop.post(`/payments/${paymentId}/capture`, "other", body);
    expect(other.body).toMatchObject({
      status: 422,
      code: "reference_mismatch",
      errors: [{ field: "reference" }],
    });
    expect((await shop.get(`/payments/${paymentId}`)).body.state).toBe("authorised");
  });

  test("a void takes no amount: it is always of the whole", async () => {
    const { paymentId } = (await shop.authorise("whole")).body;
    const partial = await shop.post(`/payments/${paymentId}/void`, "part", { amount: 1 });
    expect(partial.body).toMatchObject({ status: 422, errors: [{ field: "amount" }] });
    expect((await shop.post(`/payments/${paymentId}/void`, "whole-void", {})).status).toBe(200);
  });
});

test("closing does not wait for a caller that sends half a request", async () => {
  const own = await openTestGateway();
  const { hostname, port } = new URL(own.gateway.url);
  const socket = connect(Number(port), hostname);
  const ended = new Promise((resolve) => socket.once("close", resolve));
  await new Promise((resolve) => socket.write("POST /payments HTTP/1.1\r\nHost: x\r\nContent-Le", resolve));
  await own[Symbol.asyncDispose]();
  await ended;
  await expect(fetch(own.gateway.url)).rejects.toThrow("fetch failed");
});
