import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { orderBody, testServer, type TestServer } from "./client.ts";

let shop: TestServer;
beforeAll(async () => {
  shop = await testServer({ dispatchAfterMs: 3_600_000 });
  await shop.stockUp("mug", 100);
  await shop.stockUp("cup", 3);
});
afterAll(() => shop[Symbol.asyncDispose]());

async function confirmed(over: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { body } = await shop.ask("POST", "/orders", orderBody(over));
  const path = `/shipments/${body.orderId}`;
  await vi.waitUntil(async () => (await shop.ask("GET", path)).status === 200, 10_000);
  return body.orderId;
}

const problemOf = (body: { type?: string }) => body.type?.replace("urn:waybill:problem:", "");

describe("a shipment", () => {
  test("waits, leaves with its tracking, and arrives", async () => {
    const id = await confirmed();
    expect((await shop.ask("GET", `/shipments/${id}`)).body).toMatchObject({ orderId: id, status: "waiting" });
    const early = await shop.ask("POST", `/shipments/${id}/deliver`);
    expect([early.status, problemOf(early.body)]).toEqual([409, "shipment-refused"]);
    const left = await shop.ask("POST", `/shipments/${id}/dispatch`, { tracking: "1Z 999" });
    expect([left.status, left.body]).toMatchObject([200, { status: "dispatched", tracking: "1Z 999" }]);
    const again = await shop.ask("POST", `/shipments/${id}/dispatch`);
    expect([again.status, again.body.tracking]).toEqual([200, "1Z 999"]);
    const there = await shop.ask("POST", `/shipments/${id}/deliver`, {});
    expect([there.status, there.body]).toMatchObject([200, { status: "delivered", deliveredAt: expect.any(String) }]);
  });

  test("of a cancelled order stays here", async () => {
    const id = await confirmed();
    await shop.ask("POST", `/orders/${id}/cancel`, undefined, { prefer: "wait=20" });
    const { status, body } = await shop.ask("POST", `/shipments/${id}/dispatch`);
    expect([status, body]).toMatchObject([409, { orderId: id, detail: "The shipment is cancelled." }]);
  });

  test("of an order that is not confirmed cannot leave, and of no order is not known", async () => {
    const { body } = await shop.ask("POST", "/orders", orderBody({ lines: [{ sku: "cup", quantity: 9 }] }), {
      prefer: "wait=20",
    });
    const refused = await shop.ask("POST", `/shipments/${body.orderId}/dispatch`);
    expect([refused.status, problemOf(refused.body)]).toEqual([409, "shipment-refused"]);
    expect((await shop.ask("GET", `/shipments/${body.orderId}`)).status).toBe(404);
    expect((await shop.ask("POST", "/shipments/nobody/dispatch")).status).toBe(404);
  });

  test.each([
    ["dispatch", { tracking: "" }, "tracking"],
    ["dispatch", { orderId: "mine" }, "orderId"],
    ["deliver", { tracking: "1Z" }, "tracking"],
    ["deliver", [], "body"],
  ])("is not asked to %s with %j", async (what, sent, field) => {
    const { status, body } = await shop.ask("POST", `/shipments/o-1/${what}`, sent);
    expect([status, body.errors[0].field]).toEqual([422, field]);
  });
});

describe("the movements of a SKU", () => {
  const movesOf = async (path: string) => (await shop.ask("GET", path)).body;
  const told = ({ movements }: { movements: readonly Record<string, unknown>[] }) =>
    movements.map(({ type, quantity, onHand, reserved }) => [type, quantity, onHand, reserved]);

  test("are its ledger, the newest first, a page at a time", async () => {
    await shop.stockUp("vase", 5);
    const id = await confirmed({
      lines: [
        { sku: "mug", quantity: 1 },
        { sku: "vase", quantity: 2 },
      ],
    });
    await shop.ask("POST", `/shipments/${id}/dispatch`);
    await vi.waitUntil(async () => (await shop.ask("GET", "/stock/vase")).body.onHand === 3, 10_000);
    const whole = await movesOf("/stock/vase/movements");
    expect(told(whole)).toEqual([
      ["stock.shipped", 2, 3, 0],
      ["stock.reserved", 2, 5, 2],
      ["stock.adjusted", 5, 5, 0],
    ]);
    expect(whole.next).toBeUndefined();
    expect(whole.movements[0]).toMatchObject({ orderId: id, at: expect.any(String), offset: expect.any(Number) });
    expect(whole.movements[2]).toMatchObject({ reason: "First delivery", adjustmentId: expect.any(String) });

    const walked: unknown[] = [];
    let path: string | undefined = "/stock/vase/movements?limit=1";
    for (let pages = 0; path !== undefined && pages < 20; pages++) {
      const page = await movesOf(path);
      walked.push(...page.movements);
      path = page.next;
    }
    expect(walked).toEqual(whole.movements);
  });

  test("are known for a SKU that has stock only", async () => {
    expect((await shop.ask("GET", "/stock/ghost/movements")).status).toBe(404);
    expect((await shop.ask("GET", "/stock/mug/movements?limit=1000")).body.errors[0].field).toBe("limit");
  });
});
