import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startGateway, type ServerOptions } from "@waybill/server";
import { readServerInfo } from "@waybill/store-sqlite";
import { seeded, startLoad, type Load } from "./server/load.ts";
import { serve, type ServerProcess } from "./server/server-process.ts";
import { expectBooksAddUp, loadOptions, stockUp, tokens, untilOver } from "./server/under-load.ts";
import { booksOf, gatewayLedger } from "./server/witnesses.ts";

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

/** Waits until every order is over, ends the server in good order, and audits what it leaves. */
async function expectEverythingAddsUp(server: ServerProcess, { acknowledged, strange }: Load): Promise<void> {
  expect(strange).toEqual([]);
  const orderIds = [...acknowledged.values()];
  await untilOver(() => booksOf(data), orderIds);
  const audit = await (await fetch(`${server.gatewayUrl}/audit`)).json();
  expect(audit).toEqual({ findings: [] });
  const ledger = await gatewayLedger(server.gatewayUrl);
  expect(await server.end("SIGTERM")).toBe(0);
  expectBooksAddUp(await booksOf(data), orderIds, ledger, data);
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
