import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort, startKafka, startNats, startPostgres, startProxy, type Proxy, type Server } from "@waybill/brokers";
import { loadConfig, openEngine, realWorld, startGateway, type Engine, type GatewayChild } from "@waybill/server";
import type { LaneRow } from "@waybill/messaging";
import { migrate } from "@waybill/store-postgres";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { seeded, startLoad, type Load } from "./server/load.ts";
import { serve, type ServerProcess } from "./server/server-process.ts";
import { expectBooksAddUp, loadOptions, stockUp, untilOver } from "./server/under-load.ts";
import { booksFrom, gatewayLedger } from "./server/witnesses.ts";

/** How many orders clients place in a second at most; as many as are taken, if it is not said. */
const perSecond = Number(process.env["WAYBILL_ORDERS_PER_SECOND"] ?? Infinity);
/** How long a server stays away, in milliseconds. */
const awayMs = Number(process.env["WAYBILL_AWAY_MS"] ?? 4_000);

/** A server, and the wire between it and the shop. */
interface Wired extends AsyncDisposable {
  readonly server: Server;
  readonly wire: Proxy;
}

async function wired(start: (port: number, wirePort: number) => Promise<Server>, url: string): Promise<Wired> {
  const port = await freePort();
  const wire = await startProxy(url.replace("PORT", String(port)));
  const server = await start(port, wire.port);
  return {
    server,
    wire,
    async [Symbol.asyncDispose]() {
      await wire[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const starts = {
  nats: () => wired((port) => startNats({ port }), "nats://127.0.0.1:PORT"),
  kafka: () => wired((port, advertisedPort) => startKafka({ port, advertisedPort }), "127.0.0.1:PORT"),
};

describe.each(["nats", "kafka"] as const)("a shop on %s whose servers fail", (engineName) => {
  const data = mkdtempSync(join(tmpdir(), "waybill-faults-"));
  const acknowledged = new Set<string>();
  const open = new AsyncDisposableStack();
  let broker: Wired;
  let postgres: Wired;
  let engine: Engine;
  let gateway: GatewayChild;
  let shop: ServerProcess;

  beforeAll(async () => {
    broker = open.use(await starts[engineName]());
    postgres = open.use(await wired((port) => startPostgres({ port }), "postgres://waybill@127.0.0.1:PORT/postgres"));
    await migrate({ url: postgres.server.url });
    const variable = engineName === "nats" ? "WAYBILL_NATS_URL" : "WAYBILL_KAFKA_URL";
    const env = (of: "server" | "wire") => ({
      WAYBILL_ENGINE: engineName,
      WAYBILL_POSTGRES_URL: postgres[of].url,
      [variable]: broker[of].url,
    });
    gateway = open.use(await startGateway({ data: join(data, "gateway") }));
    const config = await loadConfig({ env: env("wire") });
    shop = open.use(await serve({ config, data, seed: false, dispatchAfterMs: 100, gatewayUrl: gateway.url, port: 0 }));
    // The auditor looks at the servers themselves.
    const straight = await loadConfig({ env: env("server") });
    engine = open.use(await openEngine(straight, { data, world: realWorld(() => undefined) }));
    await stockUp(shop.url);
  });
  afterAll(async () => {
    await open.disposeAsync();
    rmSync(data, { recursive: true, force: true });
  });

  function load(name: string): Load {
    return startLoad({
      ...loadOptions(seeded(11)),
      clients: Number(process.env["WAYBILL_CLIENTS"] ?? 8),
      perSecond,
      name,
      url: () => shop.url,
    });
  }

  async function flowing(one: Load, orders = 50): Promise<void> {
    const before = one.acknowledged.size;
    await vi.waitUntil(() => one.acknowledged.size >= before + orders, { timeout: 60_000 });
  }

  /** Nothing lost, nothing twice, stock and money add up. Says how long it took; gives the lanes that have stopped. */
  async function audited(one: Load, after: string): Promise<readonly LaneRow[]> {
    const beganMs = performance.now();
    await one.finish();
    expect(one.strange).toEqual([]);
    for (const orderId of one.acknowledged.values()) acknowledged.add(orderId);
    await untilOver(() => booksFrom(engine), acknowledged);
    const settledMs = performance.now() - beganMs;
    const look = async () =>
      expectBooksAddUp(await booksFrom(engine), acknowledged, await gatewayLedger(gateway.url), data);
    await vi.waitFor(look, { timeout: 30_000, interval: 200 });
    expect(await (await fetch(`${gateway.url}/audit`)).json()).toEqual({ findings: [] });
    const { lanes } = await engine.store.survey(["orders", "inventory", "payments", "fulfilment", "notifications"]);
    process.stdout.write(`${engineName}: all settled ${settledMs.toFixed(0)} ms after ${after}\n`);
    return lanes.filter(({ stopped }) => stopped !== undefined);
  }

  test("takes orders while its broker is gone, and catches up", { timeout: 240_000 }, async () => {
    await using orders = load("gone");
    await flowing(orders);
    await broker.server.kill();
    const before = orders.acknowledged.size;
    await flowing(orders, 20);
    await pause(awayMs);
    await flowing(orders, 20);
    const taken = orders.acknowledged.size - before;
    await broker.server.start();
    expect(await audited(orders, `${awayMs} ms without a broker, in which ${taken} orders came`)).toEqual([]);
  });

  test("loses nothing when the broker dies in the middle of its work", { timeout: 240_000 }, async () => {
    await using orders = load("killed");
    for (let round = 0; round < 2; round++) {
      await flowing(orders);
      await broker.server.kill();
      await broker.server.start();
    }
    await flowing(orders);
    expect(await audited(orders, "two deaths of the broker")).toEqual([]);
  });

  test("loses nothing when the database dies in the middle of its work", { timeout: 240_000 }, async () => {
    await using orders = load("database");
    for (let round = 0; round < 2; round++) {
      await flowing(orders);
      await postgres.server.kill();
      await postgres.server.start();
    }
    await flowing(orders);
    expect(await audited(orders, "two deaths of the database")).toEqual([]);
  });

  test("goes on after connections that hang, and after some that break", { timeout: 240_000 }, async () => {
    await using orders = load("wires");
    for (const { wire } of [broker, postgres]) {
      await flowing(orders);
      wire.freeze();
      await pause(awayMs);
      wire.thaw();
      await flowing(orders);
      wire.cut();
    }
    await flowing(orders);
    expect(await audited(orders, "connections that hung and broke")).toEqual([]);
  });
});
