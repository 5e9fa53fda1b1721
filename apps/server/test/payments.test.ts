import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { orderBody, testServer, type Answer, type TestServer } from "./client.ts";

let shop: TestServer;
beforeAll(async () => {
  shop = await testServer();
  await shop.stockUp("mug", 1_000);
});
afterAll(() => shop[Symbol.asyncDispose]());

const told = ({ status, body }: Answer) => [status, body.type?.replace("urn:waybill:problem:", "")];

async function placed(token: string): Promise<string> {
  const order = orderBody({ payment: { token } });
  return (await shop.ask("POST", "/orders", order, { prefer: "wait=20" })).body.orderId;
}

describe("a payment", () => {
  test("shows every movement of its money, and not the card's token", async () => {
    const id = await placed("tok_approved");
    const { status, body, text } = await shop.ask("GET", `/payments/${id}`);
    expect([status, body]).toMatchObject([
      200,
      { orderId: id, status: "captured", amount: 510, authorised: 510, captured: 510, released: 0, refunded: 0 },
    ]);
    expect(body.ledger.map(({ kind }: { kind: string }) => kind)).toEqual(["authorised", "captured"]);
    expect(text).not.toContain("tok_");
    expect(told(await shop.ask("GET", "/payments/nobody"))).toEqual([404, "not-found"]);
  });

  test("that waits for a person goes on as he says, with his reason in the book", async () => {
    const id = await placed("tok_capture_refused");
    const { body: before } = await shop.ask("GET", `/payments/${id}`);
    expect(before).toMatchObject({ status: "attention", pending: "capture", captured: 0 });
    const outcome = { kind: "done", paymentId: before.paymentId, operationId: "by-hand" };
    const said = { operation: "capture", outcome, reason: "The bank has sent it." };
    const resolved = await shop.ask("POST", `/payments/${id}/resolve`, said);
    expect([resolved.status, resolved.body]).toMatchObject([200, { status: "captured", captured: 510 }]);
    const completed = async () => (await shop.ask("GET", `/orders/${id}`)).body.status === "completed";
    await vi.waitUntil(completed, 10_000);
    const { messages } = (await shop.ask("GET", "/topics/operations/messages")).body;
    expect(messages.at(-1).body).toEqual({
      orderId: id,
      operation: "capture",
      outcome: "done",
      by: "local",
      reason: said.reason,
    });
    expect(told(await shop.ask("POST", `/payments/${id}/resolve`, said))).toEqual([409, "payment-settled"]);
  });

  test("takes no word on what it does not wait for", async () => {
    const id = await placed("tok_capture_refused");
    const said = { operation: "void", outcome: { kind: "refused", reason: "no" }, reason: "A test." };
    const answer = await shop.ask("POST", `/payments/${id}/resolve`, said);
    expect(told(answer)).toEqual([409, "payment-settled"]);
    expect(answer.body.detail).toContain("waits for a word on its capture");
    expect(told(await shop.ask("POST", "/payments/nobody/resolve", said))).toEqual([404, "not-found"]);
  });

  const done = { kind: "done", paymentId: "p", operationId: "o" };
  test.each([
    [{ operation: "capture", outcome: done }, "reason"],
    [{ operation: "steal", outcome: done, reason: "x" }, "operation"],
    [{ operation: "capture", outcome: { kind: "done" }, reason: "x" }, "outcome.operationId"],
    [{ operation: "capture", outcome: done, reason: "x", orderId: "o-1" }, "orderId"],
    [{ operation: "capture", outcome: done, reason: "x", by: "me" }, "by"],
    [[], "body"],
  ])("is not resolved by %j", async (said, field) => {
    const { status, body } = await shop.ask("POST", "/payments/o-1/resolve", said);
    expect(status).toBe(422);
    expect(body.errors.map((one: { field: string }) => one.field)).toContain(field);
  });
});
