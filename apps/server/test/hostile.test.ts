import { newKey, writeKeyFile } from "@waybill/server";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { orderBody, testServer, type TestServer } from "./client.ts";

let folder: string;
let shop: TestServer;
const { key, entry } = newKey({ role: "operator" });
const authorization = `Bearer ${key}`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "waybill-hostile-"));
  const data = join(folder, "data");
  writeKeyFile(join(data, "keys.json"), [entry]);
  shop = await testServer({ data, log: { file: join(data, "server.log") } });
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (method: string, path: string, body?: unknown) => shop.ask(method, path, body, { authorization });

const texts = [
  "'; DROP TABLE message; --",
  '" OR ""="',
  "../../../escaped",
  "..%2f..%2fescaped",
  "<script>alert(1)</script>",
  "$(touch escaped)`touch escaped`",
  "%s%n{{7*7}}${7*7}",
  "__proto__",
  "a\\b/c?d#e&f=g",
  "ﷺ é",
];

describe("what a client says", () => {
  test.each(texts)("%s is a text, wherever it goes", async (text) => {
    const sku = encodeURIComponent(text);
    const put = await ask("PUT", `/products/${sku}`, { title: text, price: "1.00", currency: "EUR" });
    expect([put.status, put.body]).toMatchObject([200, { sku: text, title: text }]);
    const adjusted = await ask("POST", `/stock/${sku}/adjustments`, { quantity: 5, reason: text, adjustmentId: text });
    expect(adjusted.body.stock).toMatchObject({ sku: text, onHand: 5 });
    const customer = { id: text, email: "hidden.person@example.org" };
    const order = orderBody({ customer, lines: [{ sku: text, quantity: 1 }], payment: { token: "tok_approved" } });
    const headers = { authorization, prefer: "wait=20", "idempotency-key": text.replaceAll(/[^\x20-\x7e]/g, "x") };
    const placed = await shop.ask("POST", "/orders", order, headers);
    expect([placed.status, placed.body]).toMatchObject([
      200,
      { status: "completed", customer, lines: [{ sku: text }] },
    ]);
    const listed = async () => (await ask("GET", `/orders?customer=${sku}`)).body.orders.length === 1;
    await vi.waitUntil(listed, 10_000);
    expect((await ask("GET", `/orders/${sku}`)).status).toBe(404);
    expect((await ask("GET", `/parked/${sku}/${sku}`)).status).toBe(404);
    expect((await ask("GET", `/topics/${sku}/messages`)).status).toBe(404);
    const moved = (await ask("GET", `/stock/${sku}/movements`)).body.movements.at(-1);
    expect(moved).toMatchObject({ type: "stock.adjusted", reason: text, adjustmentId: text });
  });

  test("makes no file but the shop's own, and none elsewhere", async () => {
    const letters = () =>
      readdirSync(join(shop.data, "mail"), { recursive: true }).filter((name) => String(name).endsWith(".eml"));
    await vi.waitUntil(() => letters().length === 2 * texts.length, 10_000);
    expect(readdirSync(folder)).toEqual(["data"]);
    const files = readdirSync(shop.data, { recursive: true }).map(String);
    for (const name of files) expect(name).toMatch(/^[\w.-]+(\/[\w.-]+)*$/);
    expect(files.filter((name) => name.includes("escaped"))).toEqual([]);
  });

  test("makes no header of a letter", () => {
    const mail = join(shop.data, "mail");
    const names = readdirSync(mail, { recursive: true }).map(String);
    for (const name of names.filter((one) => one.endsWith(".eml"))) {
      const [head = ""] = readFileSync(join(mail, name), "utf8").split("\r\n\r\n", 1);
      const fields = head.split("\r\n").map((line) => line.split(":", 1)[0]);
      expect(new Set(fields).size).toBe(fields.length);
      expect(fields).toContain("X-Waybill-Order");
    }
  });

  test("stays out of the log, and so do keys, addresses and tokens", async () => {
    await shop.ask("GET", "/orders", undefined, { authorization: "Bearer wb_00000000_secret-that-is-none" });
    const log = readFileSync(join(shop.data, "server.log"), "utf8");
    const lines = log.trim().split("\n");
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number) });
    for (const secret of [key, key.slice(12), entry.sha256, "hidden.person", "tok_approved", "secret-that-is-none"]) {
      expect(log).not.toContain(secret);
    }
  });
});

test("half a request does not keep a server up that shall end", async () => {
  const other = await testServer({ data: join(folder, "other") });
  const { hostname, port } = new URL(other.server.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    "POST /orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
  );
  socket.on("error", () => undefined);
  const taken = async () => (await (await fetch(`${other.server.url}/metrics`)).text()).includes("waybill_up 1");
  await vi.waitUntil(taken);
  const cut = once(socket, "close");
  await other.server.close();
  await cut;
  expect(socket.destroyed).toBe(true);
  await other[Symbol.asyncDispose]();
});

describe("a request that is too much", () => {
  const ended = (headers: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const { hostname, port } = new URL(shop.server.url);
      const asked = request({ hostname, port, path: "/orders", headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode!);
      });
      asked.on("error", reject);
      asked.end();
    });

  test("of headers is refused before it is looked at", async () => {
    expect(await ended({ authorization, "x-large": "x".repeat(17_000) })).toBe(431);
    expect(await ended({ authorization })).toBe(200);
  });

  test("of a body is refused without a key as well, and is not read to its end", async () => {
    const large = JSON.stringify({ text: "x".repeat(1_000_001) });
    expect((await ask("POST", "/orders", large)).status).toBe(413);
    expect((await shop.ask("POST", "/orders", large)).status).toBe(401);
  });
});
