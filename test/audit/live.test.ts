import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openLiveAudit, type RunningAudit } from "@waybill/auditor";
import { startServer } from "@waybill/server";
import { copyOf, shopWithOrders, type BrokenShop, type ShopOrders } from "./shop-with-orders.ts";

let base: string;
let orders: ShopOrders;
let copies = 0;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "waybill-live-"));
  orders = await shopWithOrders(join(base, "shop"));
}, 60_000);
afterAll(() => rmSync(base, { recursive: true, force: true }));

const waits = { timeout: 20_000, interval: 20 };

interface Told {
  readonly level: string;
  readonly text: string;
  readonly what: unknown;
}

async function audited(shop: BrokenShop, use: (audit: RunningAudit, told: readonly Told[]) => Promise<void>) {
  const told: Told[] = [];
  await using audit = openLiveAudit({
    folder: shop.folder,
    log: (level, text, { what }) => told.push({ level, text, what }),
    budgetMs: 20,
    everyMs: 5,
  });
  await use(audit, told);
}

function copy(): BrokenShop {
  return copyOf(join(base, "shop"), join(base, `copy-${++copies}`));
}

const checkedOf = (audit: RunningAudit, law: number) => audit.auditStatus().find((one) => one.law === law)!;

test("finds nothing wrong with a shop that is in order, and comes to all of its orders", async () => {
  await audited(copy(), async (audit, told) => {
    await vi.waitUntil(() => checkedOf(audit, 8).checked >= 19, waits);
    expect(audit.auditStatus().map(({ law }) => law)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(checkedOf(audit, 8).lastAtMs).toBeGreaterThan(0);
    expect(audit.auditTroubles()).toEqual([]);
    expect(told).toEqual([]);
  });
});

test("tells of an order that breaks a law, and when it is right again", async () => {
  const shop = copy();
  await audited(shop, async (audit, told) => {
    const [id] = orders.completed;
    shop.state("orders", "order", id!, (order) => (order["captured"] = (order["captured"] as number) + 1));
    await vi.waitUntil(() => checkedOf(audit, 6).breaches === 1, waits);
    expect(audit.auditTroubles()[0]).toContain(`Law 6 is broken at order ${id}: The order knows of`);
    expect(told).toMatchObject([{ level: "error", text: "The books do not balance." }]);
    shop.state("orders", "order", id!, (order) => (order["captured"] = (order["captured"] as number) - 1));
    await vi.waitUntil(() => checkedOf(audit, 6).breaches === 0 && told.length === 2, waits);
    expect(told[1]).toMatchObject({ level: "info", text: "What did not balance is right again." });
  });
});

test("tells of a charge that the gateway has done twice, and of a lane that stopped", async () => {
  const shop = copy();
  await audited(shop, async (audit) => {
    await vi.waitUntil(() => checkedOf(audit, 8).checked >= 19, waits);
    shop.changeGateway(`insert into operation (key, payment, kind, amount, currency, result, at_ms)
      select key, payment, kind, amount, currency, result, at_ms from operation where kind = 'capture' order by n limit 1`);
    shop.change("update lane set stopped = 'GAP: something is missing' where service = 'payments'");
    await vi.waitUntil(() => checkedOf(audit, 2).breaches === 1 && checkedOf(audit, 8).breaches === 1, waits);
    expect(audit.auditTroubles().join("\n")).toMatch(/Lane payments\/0 has stopped[^]*operations share the key/);
  });
});

test("follows a shop at work, where what is on its way is no breach", { timeout: 60_000 }, async () => {
  const shop = copy();
  await using server = await startServer({
    data: shop.folder,
    port: 0,
    seed: false,
    log: "none",
    dispatchAfterMs: 50,
  });
  await audited(shop, async (audit, told) => {
    await vi.waitUntil(() => checkedOf(audit, 8).checked > 0, waits);
    const before = checkedOf(audit, 1).checked;
    const place = async (n: number): Promise<void> => {
      const body = { customer: { id: `l-${n}`, email: "l@customers.example" }, currency: "EUR" };
      const lines = [{ sku: "pen", quantity: 1 }];
      const sent = JSON.stringify({ ...body, lines, payment: { token: "tok_approved" } });
      const headers = { "content-type": "application/json", prefer: "wait=20" };
      const response = await fetch(`${server.url}/orders`, { method: "POST", headers, body: sent });
      expect(await response.json()).toMatchObject({ status: "completed" });
    };
    await Promise.all(Array.from({ length: 40 }, (_, n) => place(n)));
    await vi.waitUntil(() => checkedOf(audit, 1).checked >= before + 400 && checkedOf(audit, 4).checked > 0, waits);
    expect(audit.auditTroubles()).toEqual([]);
    expect(told).toEqual([]);
  });
});
