import { orderPlace, type OrderPlace } from "@waybill/contracts";
import { openPublisher } from "@waybill/messaging";
import { embeddedEngine, partitions, realWorld, startServer, wallClock } from "@waybill/server";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openAccepted } from "../src/http/accepted-orders.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "waybill-data-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

test("an order that a process stored and did not live to handle is known to the next one", async () => {
  // It makes the topics and the lanes.
  await (await startServer({ data, port: 0, seed: false, log: "none" })).close();
  const world = realWorld(() => undefined);
  await using engine = await embeddedEngine({ folder: data, world });
  await using door = openPublisher({
    transportOf: (topic) => engine.transportOf(topic),
    partitions,
    producer: "http",
    newId: () => world.newId(),
    nowMs: wallClock,
  });
  for (let n = 1; n <= 40; n++) await door.publish(orderPlace, orderOf(n));
  const accepted = openAccepted({
    engine,
    watch: { until: async () => undefined, listen() {}, release() {}, async [Symbol.asyncDispose]() {} },
  });
  expect(await accepted.customerOf("o-7")).toBe("c-7");
  expect(await accepted.customerOf("o-40")).toBe("c-40");
  expect(await accepted.customerOf("o-41")).toBeUndefined();
});

function orderOf(n: number): OrderPlace {
  const customer = { id: `c-${n}`, email: `c-${n}@customers.example` };
  const lines = [{ sku: "85123A", quantity: 1 }];
  return {
    orderId: `o-${n}`,
    customer,
    currency: "GBP",
    lines,
    payment: { token: "tok_approved" },
    placedAtMs: 1_800_000_000_000,
  };
}
