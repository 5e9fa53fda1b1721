import { setTimeout as pause } from "node:timers/promises";
import { freePort, startKafka, startNats, startPostgres, startProxy, type Proxy, type Server } from "@waybill/brokers";
import { migrate } from "@waybill/store-postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { flowing, startShopOnServers, type ShopOnServers } from "./server/shop-on-servers.ts";

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
  const open = new AsyncDisposableStack();
  let broker: Wired;
  let postgres: Wired;
  let shop: ShopOnServers;

  beforeAll(async () => {
    broker = open.use(await starts[engineName]());
    postgres = open.use(await wired((port) => startPostgres({ port }), "postgres://waybill@127.0.0.1:PORT/postgres"));
    await migrate({ url: postgres.server.url });
    const reached = (of: "server" | "wire") => ({ broker: broker[of].url, postgres: postgres[of].url });
    shop = open.use(await startShopOnServers(engineName, { shop: reached("wire"), auditor: reached("server") }));
  });
  afterAll(() => open.disposeAsync());

  test("takes orders while its broker is gone, and catches up", { timeout: 240_000 }, async () => {
    await using orders = shop.load("gone");
    await flowing(orders);
    await broker.server.kill();
    const before = orders.acknowledged.size;
    await flowing(orders, 20);
    await pause(awayMs);
    await flowing(orders, 20);
    const taken = orders.acknowledged.size - before;
    await broker.server.start();
    expect(await shop.audited(orders, `${awayMs} ms without a broker, in which ${taken} orders came`)).toEqual([]);
  });

  test("loses nothing when the broker dies in the middle of its work", { timeout: 240_000 }, async () => {
    await using orders = shop.load("killed");
    for (let round = 0; round < 2; round++) {
      await flowing(orders);
      await broker.server.kill();
      await broker.server.start();
    }
    await flowing(orders);
    expect(await shop.audited(orders, "two deaths of the broker")).toEqual([]);
  });

  test("loses nothing when the database dies in the middle of its work", { timeout: 240_000 }, async () => {
    await using orders = shop.load("database");
    for (let round = 0; round < 2; round++) {
      await flowing(orders);
      await postgres.server.kill();
      await postgres.server.start();
    }
    await flowing(orders);
    expect(await shop.audited(orders, "two deaths of the database")).toEqual([]);
  });

  test("goes on after connections that hang, and after some that break", { timeout: 240_000 }, async () => {
    await using orders = shop.load("wires");
    for (const { wire } of [broker, postgres]) {
      await flowing(orders);
      wire.freeze();
      await pause(awayMs);
      wire.thaw();
      await flowing(orders);
      wire.cut();
    }
    await flowing(orders);
    expect(await shop.audited(orders, "connections that hung and broke")).toEqual([]);
  });
});
