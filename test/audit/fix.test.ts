import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixesOf, type Fix } from "@waybill/auditor";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { serve } from "../server/server-process.ts";
import { reportOf } from "./run-audit.ts";
import { copyOf, shopWithOrders, unsaid, type BrokenShop, type ShopOrders } from "./shop-with-orders.ts";

let base: string;
let orders: ShopOrders;
let shop: BrokenShop;
let copies = 0;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "waybill-fix-"));
  orders = await shopWithOrders(join(base, "shop"));
}, 60_000);
afterAll(() => rmSync(base, { recursive: true, force: true }));
beforeEach(() => {
  shop = copyOf(join(base, "shop"), join(base, `copy-${++copies}`));
});

const waits = { timeout: 30_000, interval: 200 };

type Body = Record<string, unknown>;
const ledgerOf = (payment: Body) => payment["ledger"] as { operationId: string; paymentId: string }[];

/** Has the gateway hold an order's money a second time, on a payment of its own that the shop never heard of. */
function authoriseAgain(orderId: string): void {
  shop.changeGateway(
    `insert into payment select 1000, reference, token, currency, 'authorised', authorised, 0, 0, created_at_ms,
      9e15 from payment where reference = ? order by n limit 1`,
    orderId,
  );
  operate(1_000, "authorise", "holds", "cardholders");
}

function captureAgain(): void {
  shop.changeGateway("update payment set state = 'captured', captured = authorised where n = 1000");
  operate(1_001, "capture", "merchant", "holds");
}

/** An operation on that payment, with its entries on two accounts. */
function operate(n: number, kind: string, to: string, from: string): void {
  shop.changeGateway(`insert into operation select ${n}, 'k-${n}', n, '${kind}', authorised, currency, 'approved', null,
    created_at_ms from payment where n = 1000`);
  shop.changeGateway(`insert into entry select ${n}, '${to}', currency, authorised from payment where n = 1000`);
  shop.changeGateway(`insert into entry select ${n}, '${from}', currency, -authorised from payment where n = 1000`);
}

describe("money that was taken twice", () => {
  test("is let go where it is only held, and then the books balance", { timeout: 60_000 }, async () => {
    authoriseAgain(orders.completed[0]!);
    const { code, fixes } = await reportOf("--data", shop.folder, "--fix", "--yes");
    expect(code).toBe(1);
    expect(fixes).toMatchObject([{ fix: { path: expect.stringMatching(/_1000\/void$/) }, sent: true }]);
    expect(await shop.audit()).toMatchObject({ balanced: true, breaches: [] });
  });

  test("is refunded where it was captured, and then the books balance", { timeout: 60_000 }, async () => {
    authoriseAgain(orders.completed[0]!);
    captureAgain();
    const { fixes } = await reportOf("--data", shop.folder, "--fix", "--yes");
    expect(fixes).toMatchObject([{ fix: { path: expect.stringMatching(/_1000\/refund$/) }, sent: true }]);
    expect(await shop.audit()).toMatchObject({ balanced: true, breaches: [] });
    // Whoever asks once more does nothing twice, and a refund that no audit has asked for is still a breach.
    shop.changeGateway("update operation set key = 'by hand' where kind = 'refund' and payment = 1000");
    expect((await shop.audit()).breaches.map(({ law }) => law)).toEqual([7, 7, 7]);
  });

  test("is not put right by a refund of another amount", async () => {
    authoriseAgain(orders.completed[0]!);
    captureAgain();
    const [refund] = fixesOf((await shop.audit()).breaches);
    const { key } = refund!.fix as Fix & { readonly kind: "gateway" };
    shop.changeGateway(
      `insert into operation select 1002, ?, n, 'refund', authorised - 1, currency, 'approved', null, created_at_ms
        from payment where n = 1000`,
      key,
    );
    expect(
      (await shop.audit()).breaches.filter(({ law, where }) => law === 7 && where.startsWith("order")),
    ).toHaveLength(3);
  });
});

describe("money that is rightly taken, and that payments has forgotten", () => {
  test.each([
    ["its booking is gone", (payment: Body) => void ledgerOf(payment).pop()],
    [
      "its booking is gone, and a person is asked about it",
      (payment: Body) => {
        ledgerOf(payment).pop();
        Object.assign(payment, { status: "attention", pending: "capture" });
      },
    ],
  ])("is not given back: %s", async (_, change) => {
    const [id] = orders.completed;
    shop.state("payments", "payment", id!, change);
    const { breaches } = await shop.audit();
    expect(breaches.filter(({ law }) => law === 7)).toMatchObject([
      { where: `order ${id}`, remedy: expect.stringContaining("from a backup") },
    ]);
    expect(fixesOf(breaches)).toEqual([]);
  });

  test("is not given back when all of the payment is gone", async () => {
    shop.change("delete from state where service = 'payments' and id = ?", orders.completed[0]!);
    const { breaches } = await shop.audit();
    expect(breaches.some(({ law }) => law === 7)).toBe(true);
    expect(fixesOf(breaches)).toEqual([]);
  });
});

test("an order whose state the log contradicts is not cancelled by it", async () => {
  shop.state("orders", "order", orders.waiting[0]!, (order) => (order["status"] = "reserved"));
  const { breaches } = await shop.audit();
  expect(breaches.map(({ law }) => law).toSorted((a, b) => a - b)).toEqual([5, 8, 9]);
  expect(fixesOf(breaches)).toEqual([]);
});

test("a capture that payments waits for is told to it, and then the books balance", { timeout: 60_000 }, async () => {
  const [id] = orders.completed;
  shop.state("payments", "payment", id!, (payment) => {
    ledgerOf(payment).pop();
    Object.assign(payment, { status: "attention", pending: "capture" });
  });
  shop.state("orders", "order", id!, (order) => Object.assign(order, { status: "shipped", captured: 0 }));
  shop.log("payments", unsaid(id!, "payment.captured"));
  shop.log("orders", unsaid(id!, "order.completed"));
  const { fixes, breaches } = await reportOf("--data", shop.folder, "--fix", "--yes");
  expect(breaches.map(({ law }) => law)).toEqual([7]);
  expect(fixes).toMatchObject([{ fix: { type: "payment.resolve" }, sent: true }]);
  await using _server = await serve({ data: shop.folder, seed: false, port: 0, log: "none" });
  await vi.waitUntil(async () => (await shop.audit()).balanced, waits);
});
