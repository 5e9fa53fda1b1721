import { embeddedEngine, realWorld, sampleProducts, shopServices, startServer, welcome } from "@waybill/server";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { readServerInfo } from "@waybill/store-sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { orderBody, testServer, type Answer } from "./client.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "waybill-data-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

describe("starting", () => {
  test("puts the sample into a new folder, once, and then leaves it alone", async () => {
    {
      await using shop = await testServer({ data, seed: true });
      const [first] = sampleProducts();
      const { sku, title, price, currency, onHand } = first!;
      expect((await shop.ask("GET", `/products/${sku}`)).body).toEqual({ sku, title, price, currency, active: true });
      expect((await shop.ask("GET", `/stock/${sku}`)).body).toMatchObject({ onHand, reserved: 0 });
      expect(welcome(shop.server).join("\n")).toContain(`curl -sS '${shop.server.url}/orders?pretty'`);
      await shop.ask("PUT", `/products/${sku}`, { title, price: "9.99", currency });
      expect(readServerInfo(data)).toMatchObject({ pid: process.pid, url: shop.server.url });
      await shop.server.close();
      expect(readServerInfo(data)).toBeUndefined();
      await using again = await testServer({ data, seed: true });
      expect((await again.ask("GET", `/products/${sku}`)).body.price).toBe("9.99");
    }
  });

  test("goes on with a sample that was left half in", async () => {
    const marker = join(data, "seeding");
    {
      await using engine = await embeddedEngine({ folder: data, world: realWorld(() => undefined) });
      expect(engine.health().ok).toBe(true);
    }
    writeFileSync(marker, "left behind\n");
    await using shop = await testServer({ data, seed: true });
    expect((await shop.ask("GET", "/products?limit=1000")).body.products).toHaveLength(1_000);
    expect(existsSync(marker)).toBe(false);
  });

  test("without the sample offers no first order", async () => {
    await using shop = await testServer({ data });
    expect((await shop.ask("GET", "/products")).body.products).toEqual([]);
    expect(welcome(shop.server).join("\n")).not.toContain("curl");
  });

  test("says which port is taken, and that the folder is, and by whom", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    await expect(startServer({ data, port, seed: false, log: "none" })).rejects.toThrow(
      `Port ${port} of 127.0.0.1 is in use. Choose another with --port.`,
    );
    other.close();
    await using shop = await testServer({ data });
    await expect(startServer({ data, port: 0, log: "none" })).rejects.toThrow(`in use by process ${process.pid}`);
    expect((await shop.ask("GET", "/health/ready")).status).toBe(200);
  });

  test("leaves nothing behind when it cannot", async () => {
    mkdirSync(join(data, "gateway"));
    writeFileSync(
      join(data, "gateway", "gateway.sqlite"),
      "this is no ledger, and long enough to be read as one\n".repeat(100),
    );
    await expect(startServer({ data, port: 0, seed: false, log: "none" })).rejects.toThrow("gateway did not start");
    rmSync(join(data, "gateway"), { recursive: true });
    await using shop = await testServer({ data });
    expect((await shop.ask("GET", "/health/ready")).status).toBe(200);
  });
});

describe("health and lanes", () => {
  test("of a shop at rest", async () => {
    await using shop = await testServer({ data });
    expect((await shop.ask("GET", "/health/live")).body).toEqual({ status: "live" });
    expect((await shop.ask("GET", "/health/ready")).body).toEqual({ status: "ready" });
    await shop.stockUp("mug", 10);
    const { body } = await shop.ask("GET", "/lanes");
    const services = shopServices().map(({ name }) => name);
    expect(body.lanes.map(({ service }: { service: string }) => service)).toEqual(services);
    const catalogue = body.lanes[0];
    expect(catalogue).toMatchObject({
      lane: 0,
      parkedKeys: 0,
      effects: 0,
      owner: expect.stringContaining(`${process.pid}`),
    });
    expect(catalogue.topics).toEqual([{ topic: "catalogue-in", position: 1, end: 1, lagMessages: 0, lagMs: 0 }]);
  });

  test("of a shop with a lane that stopped", async () => {
    await using shop = await testServer({ data });
    const { store } = shop.server.shop.engine;
    await shop.server.shop.worker.close();
    const id = { service: "inventory", lane: 0, lanes: 1 };
    const row = await store.lane(id);
    expect(await store.mark(id, row.epoch, { stopped: "PARKING_FULL: too many" })).toBe(true);
    const { status, body } = await shop.ask("GET", "/health/ready");
    expect(status).toBe(503);
    expect(body.reasons).toContain("Lane inventory/0 has stopped. PARKING_FULL: too many");
    expect(body.reasons).toContain("Lane orders/0 does not run.");
    expect((await shop.ask("GET", "/health/live")).status).toBe(200);

    const { body: placed } = await shop.ask("POST", "/orders", orderBody());
    expect(placed.status).toBe("accepted");
    expect((await shop.ask("GET", `/orders/${placed.orderId}`)).body.status).toBe("accepted");
    const { body: lanes } = await shop.ask("GET", "/lanes");
    expect(lanes.lanes[2]).toMatchObject({ service: "inventory", stopped: "PARKING_FULL: too many" });
    const doors = lanes.lanes[1].topics.find(({ topic }: { topic: string }) => topic === "orders-in");
    expect(doors).toMatchObject({ position: 0, end: 1, lagMessages: 1 });
  });
});

test("when the disk is full it says so, and goes on when there is room again", async () => {
  await using shop = await testServer({ data });
  await shop.stockUp("mug", 1_000);
  const key = (n: number) => ({ "idempotency-key": `full-${n}` });
  const file = shop.server.file!;
  // Less than it has: every page more is one too many.
  file.limit(8_192);
  const answers: Answer[] = [];
  while (answers.filter(({ status }) => status !== 202).length < 3) {
    answers.push(await shop.ask("POST", "/orders", orderBody(), key(answers.length)));
  }
  const [stored, refused] = [answers.filter(({ status }) => status === 202), answers.slice(-3)];
  const told = refused.map(({ status, body, headers }) => [status, body.type, headers.get("retry-after")]);
  expect(new Set(told.map(String))).toEqual(new Set(["503,urn:waybill:problem:unavailable,2"]));
  const ready = await shop.ask("GET", "/health/ready");
  expect([ready.status, ready.body.reasons[0]]).toEqual([503, expect.stringContaining("full")]);
  expect((await shop.ask("GET", "/products/mug")).status).toBe(200);

  file.limit(0);
  await vi.waitUntil(async () => (await shop.ask("GET", "/health/ready")).status === 200, { timeout: 20_000 });
  const { status, body } = await shop.ask("POST", "/orders", orderBody(), { ...key(0), prefer: "wait=20" });
  expect([status, body.status]).toEqual([200, "completed"]);
  for (const { body: placed } of stored) {
    expect((await shop.ask("GET", `/orders/${placed.orderId}`)).status).toBe(200);
  }
});

test("closing answers those who wait, and keeps what they placed", async () => {
  const held = orderBody({ payment: { token: "tok_timeout" } });
  let orderId = "";
  {
    await using shop = await testServer({ data });
    await shop.stockUp("mug", 10);
    const waiting = shop.ask("POST", "/orders", held, { prefer: "wait=30" });
    await vi.waitUntil(async () => (await shop.ask("GET", "/stock/mug")).body.reserved === 2);
    await shop.server.close();
    const { status, body } = await waiting;
    expect(status).toBe(202);
    orderId = body.orderId;
    await using again = await testServer({ data });
    expect((await again.ask("GET", `/orders/${orderId}`)).body.status).toBe("reserved");
  }
});

test("the log has neither addresses nor tokens", async () => {
  const file = join(data, "test.log");
  await using shop = await testServer({ data, log: { file } });
  await shop.stockUp("mug", 10);
  await shop.ask("POST", "/orders", orderBody({ payment: { token: "tok_declined" } }), { prefer: "wait=20" });
  await shop.ask("POST", "/orders", orderBody({ customer: { id: "c", email: "not an address ann@example.org" } }));
  await shop.server.close();
  const log = readFileSync(file, "utf8");
  expect(log).toContain('"msg":"The shop is open."');
  expect(log).not.toMatch(/ann@|tok_/);
});
