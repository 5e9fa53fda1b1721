import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { orderBody, testServer, type TestServer } from "./client.ts";

let shop: TestServer;
beforeAll(async () => {
  shop = await testServer();
  await shop.stockUp("mug", 10);
  await shop.ask("POST", "/orders", orderBody(), { prefer: "wait=20" });
});
afterAll(() => shop[Symbol.asyncDispose]());

/** The figures as text by name and labels. */
async function figures(): Promise<Map<string, number>> {
  const { text } = await shop.ask("GET", "/metrics");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

describe("the figures for Prometheus", () => {
  test("tell of lanes, batches, calls, requests and the process", async () => {
    const told = await figures();
    const orders = 'service="orders",lane="0"';
    expect(told.get("waybill_up")).toBe(1);
    expect(told.get("waybill_store_ok")).toBe(1);
    expect(told.get(`waybill_lane_running{${orders}}`)).toBe(1);
    expect(told.get(`waybill_lane_lag_messages{${orders},topic="orders-in"}`)).toBe(0);
    expect(told.get(`waybill_lane_lag_seconds{${orders},topic="orders-in"}`)).toBe(0);
    expect(told.get(`waybill_parked_keys{${orders}}`)).toBe(0);
    expect(told.get(`waybill_outbox_age_seconds{${orders}}`)).toBe(0);
    expect(told.get(`waybill_lane_inputs_total{${orders}}`)).toBeGreaterThan(3);
    expect(told.get('waybill_batch_inputs_count{service="orders"}')).toBeGreaterThan(0);
    expect(told.get('waybill_batch_inputs_sum{service="orders"}')).toBeGreaterThan(3);
    expect(told.get('waybill_batch_commit_seconds_count{service="orders"}')).toBeGreaterThan(0);
    expect(told.get('waybill_messages_sent_total{service="orders"}')).toBe(5);
    expect(told.get('waybill_effect_calls_total{effect="payment.authorise",outcome="done"}')).toBe(1);
    expect(told.get('waybill_effect_call_seconds_count{effect="payment.capture"}')).toBe(1);
    expect(told.get('waybill_http_requests_total{method="POST",route="/orders",status="200"}')).toBe(1);
    expect(told.get("process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
    expect([...told.keys()].filter((name) => name.startsWith("waybill_lane_stopped"))).toEqual([]);
  });

  test("are those that docs/operations.md tells of", async () => {
    const page = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8");
    const told = [...page.matchAll(/^\| `((?:waybill|process)_\w+)` \|/gm)].map(([, name]) => name!);
    const { text } = await shop.ask("GET", "/metrics");
    const real = [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name!);
    expect(told.toSorted()).toEqual(real.toSorted());
  });

  test("count an unknown path without naming it", async () => {
    await shop.ask("GET", "/nowhere/at/all");
    const told = await figures();
    expect(told.get('waybill_http_requests_total{method="GET",route="none",status="404"}')).toBe(1);
    expect([...told.keys()].join("\n")).not.toContain("nowhere");
  });

  test("say which lane stopped, and why", async () => {
    const { store } = shop.server.shop.engine;
    await shop.server.shop.worker.close();
    const row = await store.lane({ service: "inventory", lane: 0, lanes: 1 });
    await store.mark({ service: "inventory", lane: 0, lanes: 1 }, row.epoch, { stopped: "PARKING_FULL: too many" });
    await shop.ask("POST", "/orders", orderBody());
    const told = await figures();
    expect(told.get('waybill_lane_stopped{service="inventory",lane="0",code="PARKING_FULL"}')).toBe(1);
    expect(told.get('waybill_lane_running{service="orders",lane="0"}')).toBe(0);
    expect(told.get('waybill_lane_lag_messages{service="orders",lane="0",topic="orders-in"}')).toBe(1);
  });
});
