import { newKey, startServer, writeKeyFile, type KeyOptions } from "@waybill/server";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { orderBody, testServer, type Answer, type TestServer } from "./client.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "waybill-access-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

/** Puts keys of these kinds into the folder; the headers that bear them. */
function keysIn(folder: string, ...wanted: readonly KeyOptions[]) {
  const made = wanted.map(newKey);
  writeKeyFile(
    join(folder, "keys.json"),
    made.map(({ entry }) => entry),
  );
  return made.map(({ key }) => ({ authorization: `Bearer ${key}` }));
}

const told = ({ status, body }: Answer) => [status, body?.type?.replace("urn:waybill:problem:", "")];

describe("a server with keys", () => {
  test("lets in by role, and tells nobody else anything", async () => {
    const [shopKey = {}, operator = {}] = keysIn(data, { role: "shop" }, { role: "operator" });
    await using shop = await testServer({ data });
    const none = await shop.ask("GET", "/products");
    expect(told(none)).toEqual([401, "unauthorized"]);
    expect(none.headers.get("www-authenticate")).toContain("Bearer");
    expect(told(await shop.ask("GET", "/products", undefined, shopKey))).toEqual([200, undefined]);
    expect(told(await shop.ask("GET", "/lanes", undefined, shopKey))).toEqual([403, "forbidden"]);
    expect(told(await shop.ask("GET", "/lanes", undefined, operator))).toEqual([200, undefined]);
    expect(told(await shop.ask("GET", "/nowhere"))).toEqual([401, "unauthorized"]);
    expect(told(await shop.ask("DELETE", "/orders"))).toEqual([401, "unauthorized"]);
    expect(told(await shop.ask("POST", "/orders", "{"))).toEqual([401, "unauthorized"]);
    for (const path of ["/health/live", "/health/ready", "/openapi.json", "/docs"])
      expect((await shop.ask("GET", path)).status).toBe(200);
    await shop.server.shop.worker.close();
    expect((await shop.ask("GET", "/health/ready")).body).toEqual({ status: "not ready" });
    expect((await shop.ask("GET", "/health/ready", undefined, operator)).body.reasons.length).toBeGreaterThan(0);
  });

  test.each([
    ["another secret", (key: string) => `Bearer ${key.slice(0, -4)}AAAA`],
    ["another id", (key: string) => `Bearer wb_00000000${key.slice(11)}`],
    ["no scheme", (key: string) => key],
    ["another scheme", (key: string) => `Basic ${key}`],
    ["nothing", () => ""],
  ])("takes no key with %s", async (_name, of) => {
    const { key, entry } = newKey({ role: "operator" });
    writeKeyFile(join(data, "keys.json"), [entry]);
    await using shop = await testServer({ data });
    const { status } = await shop.ask("GET", "/products", undefined, { authorization: of(key) });
    expect(status).toBe(401);
  });

  test("takes new keys and drops old ones without a restart", async () => {
    const [first = {}] = keysIn(data, { role: "operator" });
    await using shop = await testServer({ data });
    expect((await shop.ask("GET", "/lanes", undefined, first)).status).toBe(200);
    const [second = {}] = keysIn(data, { role: "operator" });
    await vi.waitUntil(async () => (await shop.ask("GET", "/lanes", undefined, second)).status === 200, 10_000);
    expect((await shop.ask("GET", "/lanes", undefined, first)).status).toBe(401);
  });

  test("keeps them hashed and for its owner only", () => {
    const { key, entry } = newKey({ role: "shop", note: "front" });
    const file = join(data, "keys.json");
    writeKeyFile(file, [entry]);
    expect(readFileSync(file, "utf8")).not.toContain(key.slice(12));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(newKey({ role: "shop" }).key).not.toBe(key);
  });

  test("lets commands of this machine in by a key that lives as long as it does", async () => {
    keysIn(data, { role: "shop" });
    const file = join(data, "operator.key");
    {
      await using shop = await testServer({ data });
      const authorization = `Bearer ${readFileSync(file, "utf8").trim()}`;
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect((await shop.ask("GET", "/lanes", undefined, { authorization })).status).toBe(200);
      await shop.server.close();
      expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
      keysIn(data, { role: "shop" });
    }
  });

  test("holds each key to its rate, and strangers to theirs", async () => {
    const [slow = {}, quick = {}] = keysIn(data, { role: "shop", ratePerMinute: 3 }, { role: "shop" });
    await using shop = await testServer({ data });
    const asked: Answer[] = [];
    for (let n = 0; n < 4; n++) asked.push(await shop.ask("GET", "/products", undefined, slow));
    expect(asked.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(told(asked[3]!)).toEqual([429, "too-many-requests"]);
    expect(Number(asked[3]!.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await shop.ask("GET", "/products", undefined, quick)).status).toBe(200);
    const strangers = new Set<number>();
    for (let n = 0; n < 61; n++) strangers.add((await shop.ask("GET", "/products")).status);
    expect(strangers).toEqual(new Set([401, 429]));
    expect((await shop.ask("GET", "/products", undefined, quick)).status).toBe(200);
  });
});

describe("a key for one customer", () => {
  let shop: TestServer;
  let ann: Record<string, string>;
  let bob: Record<string, string>;
  const place = (who: string, headers: Record<string, string>) =>
    shop.ask("POST", "/orders", orderBody({ customer: { id: who, email: `${who}@example.org` } }), headers);

  beforeEach(async () => {
    [ann = {}, bob = {}] = keysIn(data, { role: "shop", customer: "ann" }, { role: "shop", customer: "bob" });
    shop = await testServer({ data });
  });
  afterEach(() => shop[Symbol.asyncDispose]());

  test("sees and places that customer's orders only", async () => {
    expect(told(await place("bob", ann))).toEqual([403, "forbidden"]);
    const { orderId } = (await place("ann", { ...ann, prefer: "wait=20" })).body;
    const paths = [`/orders/${orderId}`, `/orders/${orderId}/events`];
    for (const path of paths) expect(told(await shop.ask("GET", path, undefined, bob))).toEqual([404, "not-found"]);
    expect(told(await shop.ask("POST", `/orders/${orderId}/cancel`, undefined, bob))).toEqual([404, "not-found"]);
    expect((await shop.ask("GET", `/orders/${orderId}`, undefined, ann)).body.status).toBe("rejected");
    const ids = async (headers: Record<string, string>) =>
      (await shop.ask("GET", "/orders", undefined, headers)).body.orders.map((one: { orderId: string }) => one.orderId);
    await vi.waitUntil(async () => (await ids(ann)).length === 1, 10_000);
    expect(await ids(ann)).toEqual([orderId]);
    expect(await ids(bob)).toEqual([]);
    expect(told(await shop.ask("GET", "/orders?customer=ann", undefined, bob))).toEqual([403, "forbidden"]);
  });

  test("has idempotency keys of its own", async () => {
    const key = { "idempotency-key": "the same" };
    const first = await place("ann", { ...ann, ...key });
    const second = await place("bob", { ...bob, ...key });
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(first.body.orderId).not.toBe(second.body.orderId);
  });
});

describe("a server without keys", () => {
  test("listens for this machine only", async () => {
    const start = startServer({ data, host: "0.0.0.0", port: 0, seed: false, log: "none" });
    await expect(start).rejects.toThrow("does not listen on 0.0.0.0 without an API key");
  });

  test("answers to no other name, and to no page of another origin", async () => {
    await using shop = await testServer({ data });
    const { port } = new URL(shop.server.url);
    const ask = (method: string, headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        const path = method === "GET" ? "/products" : "/orders/o-1/cancel";
        request({ host: "127.0.0.1", port, path, method, headers }, (answer) => {
          answer.resume();
          resolve(answer.statusCode!);
        })
          .on("error", reject)
          .end();
      });
    expect(await ask("GET", { host: `evil.example:${port}` })).toBe(403);
    expect(await ask("GET", { host: `localhost:${port}` })).toBe(200);
    expect(await ask("GET", { host: `[::1]:${port}` })).toBe(200);
    expect(await ask("POST", { host: `localhost:${port}`, origin: "http://evil.example" })).toBe(403);
    expect(await ask("POST", { host: `localhost:${port}`, origin: `http://localhost:${port}` })).toBe(404);
    expect(await ask("POST", { host: `localhost:${port}` })).toBe(404);
  });

  test("does not start on keys that cannot be read", async () => {
    writeKeyFile(join(data, "keys.json"), [{ ...newKey({ role: "shop" }).entry, role: "king" as "shop" }]);
    const start = startServer({ data, port: 0, seed: false, log: "none" });
    await expect(start).rejects.toThrow("keys[0].role must be");
  });
});

test("every answer has headers that keep browsers careful", async () => {
  await using shop = await testServer({ data });
  for (const path of ["/health/live", "/nowhere", "/docs"]) {
    const { headers } = await shop.ask("GET", path);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(headers.get("x-frame-options")).toBe("SAMEORIGIN");
  }
});
