import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Order } from "@waybill/orders";
import { startGateway, type ServerOptions } from "@waybill/server";
import { readServerInfo } from "@waybill/store-sqlite";
import { seeded, startLoad, type Load } from "./server/load.ts";
import { serve, type ServerProcess } from "./server/server-process.ts";
import { booksOf, expectMoneyAgrees, expectStockAgrees, gatewayLedger, letters } from "./server/witnesses.ts";

let data: string;
let started: ServerProcess[];
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "waybill-crash-"));
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map((server) => server[Symbol.asyncDispose]()));
  rmSync(data, { recursive: true, force: true });
});

/** Starts a server that the test's end ends, however the test ends. */
async function start(options: ServerOptions): Promise<ServerProcess> {
  const server = await serve({ data, seed: false, ...options });
  started.push(server);
  return server;
}

const kills = Number(process.env["WAYBILL_KILLS"] ?? 20);
const ends = ["completed", "rejected", "cancelled"];
const scarce = new Set(["sku-8", "sku-9"]);
const initial = new Map(Array.from({ length: 10 }, (_, n) => [`sku-${n}`, scarce.has(`sku-${n}`) ? 15 : 100_000]));
const tokens = [
  ...Array<string>(10).fill("tok_approved"),
  "tok_declined",
  "tok_insufficient_funds",
  "tok_error_then_fine",
  "tok_charged_answer_lost",
  "tok_capture_answer_lost",
  "tok_void_answer_lost",
];

/** Puts products and their stock in over HTTP. */
async function stockUp(url: string): Promise<void> {
  const send = async (method: string, path: string, body: unknown) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
    expect(response.status, await response.text()).toBe(200);
  };
  for (const [sku, quantity] of initial) {
    await send("PUT", `/products/${sku}`, { title: sku, price: "2.55", currency: "EUR" });
    await send("POST", `/stock/${sku}/adjustments`, { adjustmentId: sku, quantity, reason: "First delivery" });
  }
}

/** Waits until every acknowledged order is over, and checks that none is missing. */
async function untilSettled(url: string, { acknowledged, strange }: Load): Promise<void> {
  expect(strange).toEqual([]);
  for (const [key, orderId] of acknowledged) {
    const read = async () => {
      const response = await fetch(`${url}/orders/${orderId}`);
      expect(response.status, `${key} was acknowledged as order ${orderId}`).toBe(200);
      return (await response.json()) as Order;
    };
    let order = await read();
    const isOver = async () => ends.includes((order = await read()).status);
    await vi.waitUntil(isOver, { timeout: 30_000, interval: 20 }).catch(() => {
      throw new Error(`${key} does not settle: ${JSON.stringify(order, null, 1)}`);
    });
  }
}

/** Ends the server in good order, and holds its books against the gateway's ledger, the shelf and the mailbox. */
async function expectEverythingAddsUp(server: ServerProcess, load: Load): Promise<void> {
  await untilSettled(server.url, load);
  const audit = await (await fetch(`${server.gatewayUrl}/audit`)).json();
  expect(audit).toEqual({ findings: [] });
  const ledger = await gatewayLedger(server.gatewayUrl);
  expect(await server.end("SIGTERM")).toBe(0);
  const books = await booksOf(data);
  expect(new Set(books.orders.keys())).toEqual(new Set(load.acknowledged.values()));
  expectMoneyAgrees(books.orders.values(), ledger);
  expectStockAgrees(books, initial);
  const mail = letters(data).map(({ orderId, kind }) => `${orderId} ${kind}`);
  expect(new Set(mail).size).toBe(mail.length);
  const wanted = [...books.orders.values()].flatMap(({ orderId, status }) => {
    if (status === "completed") return [`${orderId} confirmed`, `${orderId} shipped`];
    return status === "cancelled" ? [`${orderId} cancelled`] : [];
  });
  expect(mail).toEqual(expect.arrayContaining(wanted));
  const statuses = Map.groupBy(books.orders.values(), ({ status }) => status);
  for (const status of ends) expect(statuses.get(status as Order["status"])?.length, status).toBeGreaterThan(0);
}

describe("the server under load", () => {
  test(`killed ${kills} times, it has lost nothing and done nothing twice`, { timeout: 300_000 }, async () => {
    const seed = Number(process.env["WAYBILL_SEED"] ?? Date.now() % 1_000_000);
    process.stdout.write(`crash seed: WAYBILL_SEED=${seed}\n`);
    const random = seeded(seed);
    await using gateway = await startGateway({ data: join(data, "gateway") });
    const options = { dispatchAfterMs: 100, gatewayUrl: gateway.url };
    let server = await start({ ...options, port: 0 });
    const port = Number(new URL(server.url).port);
    await stockUp(server.url);
    await using load = startLoad({ ...loadOptions(random), url: () => server.url });
    for (let kill = 0; kill < kills; kill++) {
      await pause(100 + random() * 500);
      expect(await server.end("SIGKILL")).toBe("SIGKILL");
      server = await start({ ...options, port });
    }
    await load.finish();
    process.stdout.write(`crash: ${load.acknowledged.size} orders over ${kills} kills\n`);
    await expectEverythingAddsUp(server, load);
  });

  test("asked to end, it ends in good order, and the next one goes on", { timeout: 120_000 }, async () => {
    const random = seeded(1);
    const options = { dispatchAfterMs: 100 };
    let server = await start({ ...options, port: 0 });
    const port = Number(new URL(server.url).port);
    await stockUp(server.url);
    // Its sandbox ends with it, and forgets how often a call was refused for no reason.
    const lasting = tokens.filter((token) => token !== "tok_error_then_fine");
    await using load = startLoad({ ...loadOptions(random), tokens: lasting, url: () => server.url });
    for (const signal of ["SIGTERM", "SIGINT", "SIGTERM"] as const) {
      const before = load.acknowledged.size;
      await vi.waitUntil(() => load.acknowledged.size >= before + 50, { timeout: 30_000 });
      expect(await server.end(signal)).toBe(0);
      expect(readServerInfo(data)).toBeUndefined();
      server = await start({ ...options, port });
    }
    await load.finish();
    await expectEverythingAddsUp(server, load);
  });

  test("keeps its folder to itself, and gives it up when it dies", async () => {
    const first = await start({ port: 0 });
    await expect(start({ port: 0 })).rejects.toThrow(`The folder ${data} is in use by process ${first.pid}, since `);
    await expect(start({ port: 0 })).rejects.toThrow(`at ${first.url}. Stop it first, or choose another folder.`);
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(200);
    await first.end("SIGKILL");
    const second = await start({ port: 0 });
    expect(readServerInfo(data)).toMatchObject({ pid: second.pid, url: second.url });
  });
});

function loadOptions(random: () => number) {
  return { random, skus: [...initial.keys()], tokens, clients: 16, cancelEvery: 7 };
}
