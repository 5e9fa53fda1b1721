import { createConnection } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { orderBody, testServer, type TestServer } from "./client.ts";

interface Event {
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

let shop: TestServer;
beforeEach(async () => {
  shop = await testServer({ dispatchAfterMs: undefined as never });
  await shop.stockUp("mug", 100);
});
afterEach(() => shop[Symbol.asyncDispose]());

/** Listens to an order's events; `until` resolves with all of them once there are so many. */
async function listen(orderId: string, lastEventId?: string) {
  const stop = new AbortController();
  const headers: Record<string, string> = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
  const response = await fetch(`${shop.server.url}/orders/${orderId}/events`, { headers, signal: stop.signal });
  const events: Event[] = [];
  const reading = (async () => {
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const parts = text.split("\n\n");
      text = parts.pop()!;
      for (const part of parts) if (part.startsWith("id: ")) events.push(eventOf(part));
    }
  })().catch(() => undefined);
  return {
    response,
    events,
    ended: reading,
    until: (count: number) => vi.waitUntil(() => events.length >= count && events, 15_000),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await reading;
    },
  };
}

function eventOf(part: string): Event {
  const fields = new Map(part.split("\n").map((line) => line.split(/: (.*)/s) as [string, string]));
  return { id: fields.get("id")!, event: fields.get("event")!, data: JSON.parse(fields.get("data")!) };
}

const names = (events: readonly Event[]) => events.map(({ event }) => event);

describe("an order's events", () => {
  const whole = ["order.placed", "order.reserved", "order.confirmed", "order.shipped", "order.completed"];

  async function confirmed(): Promise<string> {
    const { body } = await shop.ask("POST", "/orders", orderBody());
    await vi.waitUntil(
      async () => (await shop.ask("GET", `/orders/${body.orderId}`)).body.status === "confirmed",
      10_000,
    );
    return body.orderId;
  }

  test("are all that was said, then the rest as it comes", async () => {
    const orderId = await confirmed();
    await using stream = await listen(orderId);
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(names(await stream.until(3))).toEqual(whole.slice(0, 3));
    await shop.ask("POST", `/shipments/${orderId}/dispatch`);
    const events = await stream.until(5);
    expect(names(events)).toEqual(whole);
    const { id, data } = events[4]!;
    expect(data).toMatchObject({ orderId, type: "order.completed", topic: "orders", id });
    const { body } = await shop.ask("GET", `/orders/${orderId}`);
    expect(events.map((one) => one.id)).toEqual(
      body.history.filter(({ topic }: { topic: string }) => topic === "orders").map((one: { id: string }) => one.id),
    );
  });

  test("go on after the one that was seen last", async () => {
    const orderId = await confirmed();
    let lastId: string;
    {
      await using stream = await listen(orderId);
      lastId = (await stream.until(3))[1]!.id;
    }
    await shop.ask("POST", `/shipments/${orderId}/dispatch`);
    await using stream = await listen(orderId, lastId);
    expect(names(await stream.until(3))).toEqual(whole.slice(2));
  });

  test("begin anew for an id that is not known", async () => {
    const orderId = await confirmed();
    await using stream = await listen(orderId, "somebody else's");
    expect(names(await stream.until(3))).toEqual(whole.slice(0, 3));
  });

  test("are there for orders only", async () => {
    expect((await shop.ask("GET", "/orders/nobody/events")).body.type).toBe("urn:waybill:problem:not-found");
  });

  test("end when the server does, also for one who does not read", async () => {
    const orderId = await confirmed();
    const socket = createConnection(Number(new URL(shop.server.url).port), "127.0.0.1");
    await once(socket, "connect");
    socket.pause();
    socket.write(`GET /orders/${orderId}/events HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await using stream = await listen(orderId);
    await stream.until(3);
    await shop.server.close();
    await stream.ended;
    socket.resume();
    await once(socket, "close");
    expect(socket.destroyed).toBe(true);
  });
});
