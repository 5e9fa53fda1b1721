import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openTestGateway, type TestGateway } from "./test-gateway.ts";
import { testTokens } from "./tokens.ts";

let shop: TestGateway;
beforeAll(async () => {
  shop = await openTestGateway({ slowTokenMs: 60_000 });
});
afterAll(() => shop[Symbol.asyncDispose]());

/** How many operations the ledger holds for a key: what really happened. */
async function times(key: string): Promise<number> {
  return (await shop.ledger()).filter((line) => line.key === key).length;
}

describe("a token's authorisation", () => {
  test("tok_approved is approved", async () => {
    const { status, body } = await shop.authorise("approved");
    expect(status).toBe(201);
    expect(body).toMatchObject({
      kind: "authorise",
      result: "approved",
      amount: 1_000,
      currency: "EUR",
      key: "approved",
    });
    expect((await shop.get(`/payments/${body.paymentId}`)).body).toMatchObject({
      state: "authorised",
      reference: "order-approved",
    });
  });

  test.each([
    ["tok_declined", "card_declined"],
    ["tok_insufficient_funds", "insufficient_funds"],
  ])("%s is refused with %s, and holds nothing", async (token, reason) => {
    const { status, headers, body } = await shop.authorise(token, token);
    expect(status).toBe(402);
    expect(headers.get("content-type")).toContain("application/problem+json");
    expect(body).toMatchObject({
      status: 402,
      code: reason,
      operation: { result: "refused", reason },
    });
    expect((await shop.get(`/payments/${body.operation.paymentId}`)).body.state).toBe("declined");
    const capture = await shop.capture(body.operation.paymentId, `${token}-capture`);
    expect(capture.body.code).toBe("payment_declined");
  });

  test("tok_slow is done at once and answered late; a repeat is answered at once", async () => {
    const caller = new AbortController();
    const late = shop.authorise("slow", "tok_slow", caller.signal);
    const left = late.then(
      () => "answered",
      () => "left",
    );
    const found = await vi.waitUntil(async () => {
      const answer = await shop.get("/operations?key=slow");
      return answer.status === 200 ? answer : undefined;
    });
    expect(found.body.result).toBe("approved");
    expect((await shop.authorise("slow", "tok_slow")).body).toEqual(found.body);
    caller.abort();
    expect(await left).toBe("left");
  });

  test("tok_error_then_fine fails twice without doing anything, then works", async () => {
    for (const _ of [1, 2]) {
      expect((await shop.authorise("flaky", "tok_error_then_fine")).status).toBe(500);
      expect((await shop.get("/operations?key=flaky")).status).toBe(404);
    }
    expect((await shop.authorise("flaky", "tok_error_then_fine")).status).toBe(201);
    expect((await shop.authorise("flaky", "tok_error_then_fine")).status).toBe(201);
    expect(await times("flaky")).toBe(1);
  });

  test("tok_rate_limited asks for patience once", async () => {
    const first = await shop.authorise("limited", "tok_rate_limited");
    expect([first.status, first.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(await times("limited")).toBe(0);
    expect((await shop.authorise("limited", "tok_rate_limited")).status).toBe(201);
  });

  test("tok_timeout does nothing and stays silent the first time", async () => {
    const caller = new AbortController();
    const attempts = [1, 2].map(() => shop.authorise("silent", "tok_timeout", caller.signal));
    expect((await Promise.race(attempts)).status).toBe(201);
    caller.abort();
    const outcomes = (await Promise.allSettled(attempts)).map(({ status }) => status);
    expect(outcomes.toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(await times("silent")).toBe(1);
  });

  test("tok_charged_answer_lost is done, unanswered, and found by its key", async () => {
    await expect(shop.authorise("lost", "tok_charged_answer_lost")).rejects.toThrow("fetch failed");
    const found = await shop.get("/operations?key=lost");
    expect(found.body).toMatchObject({ result: "approved", key: "lost" });
    expect((await shop.authorise("lost", "tok_charged_answer_lost")).body).toEqual(found.body);
    expect(await times("lost")).toBe(1);
  });
});

describe("what follows on a token's authorisation", () => {
  async function authorised(key: string, token: string): Promise<string> {
    return String((await shop.authorise(key, token)).body.paymentId);
  }
  const amount = { amount: 1_000, currency: "EUR" };

  test("tok_authorisation_expired: the capture is refused, nothing is held, a void passes", async () => {
    const id = await authorised("expired", "tok_authorisation_expired");
    const capture = await shop.capture(id, "expired-capture");
    expect([capture.status, capture.body.code]).toEqual([402, "authorisation_expired"]);
    expect((await shop.get(`/payments/${id}`)).body.state).toBe("expired");
    expect((await shop.post(`/payments/${id}/void`, "expired-void")).status).toBe(200);
  });

  test("tok_capture_refused: the capture is refused, and the void works", async () => {
    const id = await authorised("refused", "tok_capture_refused");
    expect((await shop.capture(id, "refused-capture")).body.code).toBe("capture_refused");
    expect((await shop.post(`/payments/${id}/void`, "refused-void")).body.result).toBe("approved");
  });

  test("tok_refund_refused: the refund is refused, the capture stays", async () => {
    const id = await authorised("no-refund", "tok_refund_refused");
    expect((await shop.capture(id, "no-refund-capture")).status).toBe(200);
    expect((await shop.post(`/payments/${id}/refund`, "no-refund-refund", amount)).body.code).toBe("refund_refused");
    expect((await shop.get(`/payments/${id}`)).body).toMatchObject({
      captured: 1_000,
      refunded: 0,
    });
  });

  test.each(["capture", "void", "refund"])("tok_%s_answer_lost: done once, unanswered, found by key", async (kind) => {
    const key = `lost-${kind}`;
    const id = await authorised(`${key}-authorise`, `tok_${kind}_answer_lost`);
    if (kind === "refund") await shop.capture(id, `${key}-capture`);
    const attempt = () => shop.post(`/payments/${id}/${kind}`, key, kind === "void" ? undefined : amount);
    await expect(attempt()).rejects.toThrow("fetch failed");
    const found = await shop.get(`/operations?key=${key}`);
    expect(found.body).toMatchObject({ kind, result: "approved" });
    expect((await attempt()).body).toEqual(found.body);
    expect(await times(key)).toBe(1);
  });
});

test("the documentation's table says of every token what the code says", () => {
  const page = readFileSync(new URL("../../../docs/sandbox-gateway.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(tok_[a-z_]+)` +\| (.*?) +\|$/gm)].map(([, token, does]) => [token, does]);
  expect(rows).toEqual(Object.entries(testTokens).map(([token, { does }]) => [token, does]));
});
