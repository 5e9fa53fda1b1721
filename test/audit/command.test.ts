import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { serve } from "../server/server-process.ts";
import { reportOf, waybillAudit } from "./run-audit.ts";
import { copyOf, shopWithOrders, type BrokenShop, type ShopOrders } from "./shop-with-orders.ts";

let base: string;
let orders: ShopOrders;
let copies = 0;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "waybill-audit-"));
  orders = await shopWithOrders(join(base, "shop"));
}, 60_000);
afterAll(() => rmSync(base, { recursive: true, force: true }));

function copy(): BrokenShop {
  return copyOf(join(base, "shop"), join(base, `copy-${++copies}`));
}

describe("waybill audit", () => {
  test("of books that balance prints a row for each law and exits with 0", async () => {
    const { code, stdout } = await waybillAudit("--data", join(base, "shop"));
    expect(stdout.match(/^ +[1-9] {2}\S/gm)).toHaveLength(9);
    expect(stdout).toContain("The books balance (19 orders");
    expect(code).toBe(0);
  });

  test("names a breach with its place, its time, and what to do, and exits with 1", async () => {
    const shop = copy();
    shop.state("inventory", "stock", "pen", (stock) => (stock["onHand"] = (stock["onHand"] as number) - 3));
    const { code, stdout } = await waybillAudit("--data", shop.folder);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /Law 4 is broken: stock[^]*SKU pen, since 20[^]*What to do: Count the shelf[^]*stock\.adjust/,
    );
    expect(stdout).toContain("The books do not balance");
  });

  test("exits with 2 when there is nothing to check, or a law cannot be checked", async () => {
    const nowhere = await waybillAudit("--data", join(base, "nowhere"));
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining("could not be audited") });
    const shop = copy();
    rmSync(join(shop.folder, "gateway"), { recursive: true });
    const { code, stdout } = await waybillAudit("--data", shop.folder);
    expect(code).toBe(2);
    expect(stdout).toContain("NOT CHECKED, the gateway's ledger is not at hand");
    const away = await waybillAudit("--data", shop.folder, "--gateway", "http://127.0.0.1:9");
    expect(away).toMatchObject({ code: 2, stderr: expect.stringContaining("does not answer") });
  });
});

describe("waybill audit --fix", () => {
  test("shows what it would send and sends nothing", async () => {
    const shop = copy();
    shop.state("inventory", "stock", "pen", (stock) => (stock["onHand"] = (stock["onHand"] as number) - 3));
    const { code, stdout } = await waybillAudit("--data", shop.folder, "--fix");
    expect(code).toBe(1);
    expect(stdout).toMatch(/would send: stock\.adjust .*"quantity":3[^]*Nothing was sent\. To send these, add --yes\./);
    expect((await reportOf("--data", shop.folder)).balanced).toBe(false);
  });

  test("leaves its messages for a stopped shop, which carries them out", { timeout: 60_000 }, async () => {
    const shop = copy();
    const [id] = orders.waiting;
    shop.state("inventory", "stock", "pen", (stock) => (stock["onHand"] = (stock["onHand"] as number) - 3));
    shop.change("delete from state where kind = 'reservation' and id = ?", id!);
    const sent = await reportOf("--data", shop.folder, "--fix", "--yes");
    expect(sent.fixes?.map(({ sent, answer }) => [sent, /next start/.test(answer)])).toEqual([
      [true, true],
      [true, true],
    ]);
    await using server = await serve({ data: shop.folder, seed: false, port: 0, log: "none" });
    const statusOf = async () =>
      ((await (await fetch(`${server.url}/orders/${id}`)).json()) as { status: string }).status;
    await vi.waitUntil(async () => (await statusOf()) === "cancelled", waits);
    const isRight = async () => {
      const { breaches } = await shop.audit();
      return !breaches.some(({ where, what }) => where === "SKU pen" && what.includes("by its movements"));
    };
    await vi.waitUntil(isRight, waits);
  });

  test("tells a running shop over HTTP", { timeout: 60_000 }, async () => {
    const shop = copy();
    shop.state("inventory", "stock", "cup", (stock) => (stock["onHand"] = (stock["onHand"] as number) + 5));
    await using _server = await serve({ data: shop.folder, seed: false, port: 0, log: "none" });
    const { fixes } = await reportOf("--data", shop.folder, "--fix", "--yes");
    expect(fixes).toMatchObject([{ sent: true, answer: expect.stringContaining("taken at /stock/cup/adjustments") }]);
    await vi.waitUntil(async () => (await shop.audit()).balanced, waits);
  });
});

const waits = { timeout: 30_000, interval: 200 };
