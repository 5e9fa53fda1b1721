import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { auditFolder } from "@waybill/auditor";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { copyOf, shopWithOrders, type BrokenShop, type ShopOrders } from "./shop-with-orders.ts";

let base: string;
let orders: ShopOrders;
let shop: BrokenShop;
let copies = 0;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "waybill-two-"));
  orders = await shopWithOrders(join(base, "shop"));
}, 60_000);
afterAll(() => rmSync(base, { recursive: true, force: true }));
beforeEach(() => {
  shop = copyOf(join(base, "shop"), join(base, `copy-${++copies}`));
});

describe("several passes over the log", () => {
  test("find the same as one", async () => {
    const inOne = await shop.audit();
    expect(await shop.audit({ ordersPerPass: 4 })).toEqual(inOne);
  });
});

describe("two threads", () => {
  const byTwo = ({ folder }: BrokenShop) => {
    const ledgerFile = join(folder, "gateway", "gateway.sqlite");
    return auditFolder({ folder, ledgerFile, twoFrom: 1 });
  };

  test("find the same as one where all is well", async () => {
    expect(await byTwo(shop)).toEqual(await shop.audit());
  });

  test("find the same as one where much is not", async () => {
    const [id, other] = orders.completed;
    shop.change("delete from state where id = ?", id!);
    shop.state("orders", "order", other!, (order) => (order["status"] = "unpaid"));
    shop.state("inventory", "stock", "pen", (stock) => (stock["onHand"] = 3));
    shop.log("payments", (records) => records.slice(1));
    const [one, two] = [await shop.audit(), await byTwo(shop)];
    expect(two.laws).toEqual(one.laws);
    const sorted = (breaches: typeof one.breaches) => breaches.map((one) => JSON.stringify(one)).sort();
    expect(sorted(two.breaches)).toEqual(sorted(one.breaches));
    expect(one.laws.filter(({ breaches }) => breaches > 0).length).toBeGreaterThan(3);
  });
});
