import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  loadConfig,
  openEngine,
  realWorld,
  startGateway,
  type Config,
  type Engine,
  type GatewayChild,
  type WaybillConfig,
} from "@waybill/server";
import type { LaneRow } from "@waybill/messaging";
import { expect, vi } from "vitest";
import { seeded, startLoad, type Load } from "./load.ts";
import { serve } from "./server-process.ts";
import { expectBooksAddUp, loadOptions, stockUp, untilOver } from "./under-load.ts";
import { booksFrom, gatewayLedger } from "./witnesses.ts";

/** How many orders clients place in a second at most; as many as are taken, if it is not said. */
const perSecond = Number(process.env["WAYBILL_ORDERS_PER_SECOND"] ?? Infinity);

/** Addresses of servers. */
export interface Reached {
  readonly broker: string;
  readonly postgres: string;
}

/** A shop in a process of its own, with a gateway in another, on servers that may fail. */
export interface ShopOnServers extends AsyncDisposable {
  /** Clients who order and cancel until they are told to finish; their keys begin with `name`. */
  load(name: string): Load;
  /** Nothing lost, nothing twice, stock and money add up. Says how long it took; gives the lanes that have stopped. */
  audited(load: Load, after: string): Promise<readonly LaneRow[]>;
}

/** Starts it. The auditor reaches the servers by addresses of its own, where nothing stands between. */
export async function startShopOnServers(
  engineName: "nats" | "kafka",
  reached: { readonly shop: Reached; readonly auditor: Reached; readonly topics?: WaybillConfig["topics"] },
): Promise<ShopOnServers> {
  await using open = new AsyncDisposableStack();
  const data = mkdtempSync(join(tmpdir(), "waybill-faults-"));
  open.defer(() => rmSync(data, { recursive: true, force: true }));
  const configOf = ({ broker, postgres }: Reached): Promise<Config> => {
    const variable = engineName === "nats" ? "WAYBILL_NATS_URL" : "WAYBILL_KAFKA_URL";
    const env = { WAYBILL_ENGINE: engineName, WAYBILL_POSTGRES_URL: postgres, [variable]: broker };
    return loadConfig({ env, flags: reached.topics === undefined ? {} : { topics: reached.topics } });
  };
  const gateway: GatewayChild = open.use(await startGateway({ data: join(data, "gateway") }));
  const config = await configOf(reached.shop);
  const shop = open.use(
    await serve({ config, data, seed: false, dispatchAfterMs: 100, gatewayUrl: gateway.url, port: 0 }),
  );
  const world = realWorld(() => undefined);
  const engine: Engine = open.use(await openEngine(await configOf(reached.auditor), { data, world }));
  await stockUp(shop.url);
  const acknowledged = new Set<string>();
  const kept = open.move();

  return {
    load: (name) =>
      startLoad({
        ...loadOptions(seeded(11)),
        clients: Number(process.env["WAYBILL_CLIENTS"] ?? 8),
        perSecond,
        name,
        url: () => shop.url,
      }),
    async audited(load, after) {
      const beganMs = performance.now();
      await load.finish();
      expect(load.strange).toEqual([]);
      for (const orderId of load.acknowledged.values()) acknowledged.add(orderId);
      await untilOver(() => booksFrom(engine), acknowledged);
      const settledMs = performance.now() - beganMs;
      const look = async () =>
        expectBooksAddUp(await booksFrom(engine), acknowledged, await gatewayLedger(gateway.url), data);
      await vi.waitFor(look, { timeout: 30_000, interval: 200 });
      expect(await (await fetch(`${gateway.url}/audit`)).json()).toEqual({ findings: [] });
      const { lanes } = await engine.store.survey(["orders", "inventory", "payments", "fulfilment", "notifications"]);
      process.stdout.write(`${engineName}: all settled ${settledMs.toFixed(0)} ms after ${after}\n`);
      return lanes.filter(({ stopped }) => stopped !== undefined);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Resolves when so many more orders are acknowledged. */
export async function flowing(load: Load, orders = 50): Promise<void> {
  const before = load.acknowledged.size;
  await vi.waitUntil(() => load.acknowledged.size >= before + orders, { timeout: 60_000 });
}
