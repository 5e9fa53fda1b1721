import { describe, expect, test } from "vitest";
import { openTestGateway } from "./test-gateway.ts";

const order = { reference: "order-1", amount: 1_000, currency: "EUR", token: "tok_approved" };

describe("a key belongs to one request", () => {
  test("the same request again has the same answer, refused ones too", async () => {
    await using shop = await openTestGateway();
    for (const token of ["tok_approved", "tok_declined"]) {
      const first = await shop.post("/payments", token, { ...order, token });
      const second = await shop.post("/payments", token, { ...order, token });
      expect([second.status, second.body]).toEqual([first.status, first.body]);
    }
    expect(await shop.ledger()).toHaveLength(2);
  });

  test.each([
    ["reference", { reference: "order-2" }],
    ["amount", { amount: 1_001 }],
    ["currency", { currency: "USD" }],
    ["token", { token: "tok_slow" }],
  ])("another %s under the same key is refused and does nothing", async (_field, change) => {
    await using shop = await openTestGateway({ slowTokenMs: 1 });
    await shop.post("/payments", "k", order);
    const { status, body } = await shop.post("/payments", "k", { ...order, ...change });
    expect([status, body.code, body.errors[0].field]).toEqual([422, "key_reused", "Idempotency-Key"]);
    expect(await shop.ledger()).toHaveLength(1);
  });

  test("another operation, payment or amount under the same key is refused", async () => {
    await using shop = await openTestGateway();
    const one = (await shop.authorise("one")).body.paymentId;
    const two = (await shop.authorise("two")).body.paymentId;
    expect((await shop.capture(one, "k", 500)).status).toBe(200);
    expect((await shop.capture(one, "k", 500)).status).toBe(200);
    for (const answer of [
      await shop.capture(one, "k", 501),
      await shop.capture(two, "k", 500),
      await shop.post(`/payments/${one}/refund`, "k", { amount: 500, currency: "EUR" }),
      await shop.post(`/payments/${one}/void`, "k"),
      await shop.post("/payments", "k", order),
    ]) {
      expect(answer.body.code).toBe("key_reused");
    }
    expect(await shop.ledger()).toHaveLength(3);
  });

  test("of many at once one is done; the others hear its answer or that it is under way", async () => {
    await using shop = await openTestGateway();
    const keys = Array.from({ length: 20 }, (_, i) => `race-${i}`);
    const answers = await Promise.all(keys.flatMap((key) => Array.from({ length: 10 }, () => shop.authorise(key))));
    const done = answers.filter(({ status }) => status === 201);
    const underWay = answers.filter(({ status, body }) => status === 409 && body.code === "key_in_flight");
    expect(done.length + underWay.length).toBe(answers.length);
    expect(new Set(done.map(({ body }) => body.id)).size).toBe(keys.length);
    expect((await shop.ledger()).map(({ key }) => String(key)).toSorted()).toEqual(keys.toSorted());
  });

  test("while a key is under way a repeat and a look-up are told so, instead of that it is unknown", async () => {
    await using shop = await openTestGateway();
    await shop.put("/faults", { slowRate: 1, slowMs: 60_000 });
    const attempts = [shop.authorise("k"), shop.authorise("k")];
    expect((await Promise.race(attempts)).body.code).toBe("key_in_flight");
    await shop.put("/faults", {});
    expect((await shop.get("/operations?key=k")).body).toMatchObject({
      status: 409,
      code: "key_in_flight",
    });
    expect((await shop.authorise("k")).body.code).toBe("key_in_flight");
    await shop.restart();
    const codes = (await Promise.all(attempts)).map(({ body }) => String(body.code));
    expect(codes.toSorted()).toEqual(["closing", "key_in_flight"]);
    expect((await shop.get("/operations?key=k")).status).toBe(404);
  });
});
