import { partitionOf } from "@waybill/messaging";
import { partitions } from "@waybill/server";
import { vi } from "vitest";
import { orderBody, type TestServer } from "./client.ts";

/** Puts an order into the door that no schema lets in, so that it is parked under its id. */
export async function parkOrder(shop: TestServer, orderId: string, body: object = { orderId }): Promise<void> {
  const topic = "orders-in";
  const message = {
    id: `broken/${orderId}/${JSON.stringify(body).length}`,
    type: "order.place",
    schema: 1,
    subject: orderId,
    key: orderId,
    producer: "/test",
    atMs: Date.now(),
    correlation: orderId,
    body: JSON.stringify(body),
  };
  const partition = partitionOf(orderId, partitions);
  const transport = shop.server.shop.engine.transportOf(topic);
  await transport.append([{ topic, partition, messages: [message] }], new AbortController().signal);
  await vi.waitUntil(async () => (await shop.ask("GET", `/parked/orders/${orderId}`)).status === 200, 10_000);
}

/** A body that stands in for the broken one. */
export function repaired(orderId: string): Record<string, unknown> {
  return { ...orderBody(), orderId, placedAtMs: 1_700_000_000_000 };
}
