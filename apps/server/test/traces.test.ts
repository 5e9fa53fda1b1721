import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { tracesEndpoint } from "../src/metrics/traces.ts";
import { orderBody, testServer } from "./client.ts";
import { parkOrder } from "./parked.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

/** A collector that keeps what it is sent. */
async function collector() {
  const texts: string[] = [];
  const server = createServer((request, response) => {
    request.setEncoding("utf8");
    let text = "";
    request.on("data", (more: string) => (text += more));
    request.on("end", () => {
      texts.push(text);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    texts,
    spans: (): Span[] =>
      texts.flatMap((text) =>
        JSON.parse(text).resourceSpans.flatMap((one: { scopeSpans: { spans: Span[] }[] }) =>
          one.scopeSpans.flatMap(({ spans }) => spans),
        ),
      ),
    [Symbol.dispose]: () => void server.close(),
  };
}

beforeEach(() => vi.unstubAllEnvs());
afterEach(() => vi.unstubAllEnvs());

test("an order's whole life is one trace, each span under what caused it", async () => {
  using traces = await collector();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", traces.url);
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  {
    await using shop = await testServer();
    await shop.stockUp("mug", 10);
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
    await shop.ask("POST", "/orders", orderBody(), { prefer: "wait=20", traceparent });
    await shop.server.close();
  }
  const own = traces.spans().filter((span) => span.traceId === traceId);
  const byId = new Map(own.map((span) => [span.spanId, span]));
  const path = (span: Span | undefined): string[] =>
    span === undefined ? [] : [...path(byId.get(span.parentSpanId ?? "")), span.name];
  const paths = own.map((span) => path(span).join(" > "));
  const placed = "POST /orders > send order.place > send order.placed";
  const reserved = `${placed} > send stock.reserved > send order.reserved`;
  expect(paths).toContain(reserved);
  expect(paths).toContain(`${reserved} > call payment.authorise`);
  expect(paths.filter((one) => one.endsWith("send order.completed"))).toHaveLength(1);
  expect(own.find(({ name }) => name === "POST /orders")?.parentSpanId).toBe("b7ad6b7169203331");
  expect(traces.texts.join("\n")).not.toMatch(/ann@example|tok_/);
}, 60_000);

test("without a collector nothing is sent, and a client's context travels on all the same", async () => {
  expect(tracesEndpoint({})).toBeUndefined();
  expect(tracesEndpoint({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c/" })).toBe("http://c/v1/traces");
  expect(tracesEndpoint({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c/own" })).toBe("http://c/own");
  await using shop = await testServer();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await shop.ask("POST", "/orders", orderBody(), { prefer: "wait=20", traceparent });
  const transport = shop.server.shop.engine.durable.transportOf("orders");
  const bounds = await transport.bounds("orders");
  await using reader = transport.reader(bounds.map((one) => ({ ...one, nextOffset: one.firstOffset })));
  const { messages } = await reader.fetch({ messages: 10, bytes: 1e6, waitMs: 0 }, new AbortController().signal);
  expect(messages.map((message) => [message.type, message.traceparent])).toEqual([["order.rejected", traceparent]]);
});

test("the log names an input that is set aside by its message and its key, and says nothing of what it holds", async () => {
  await using shop = await testServer();
  const file = join(shop.data, "told.log");
  await shop.server.close();
  await using logged = await testServer({ data: shop.data, log: { file } });
  await parkOrder(logged, "o-7", { orderId: "o-7", customer: { id: "c", email: "secret@example.org" } });
  await logged.server.close();
  const lines = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.find(({ msg }) => msg.startsWith("An input was set aside"))).toMatchObject({
    service: "orders",
    key: "o-7",
    messageId: expect.stringContaining("broken/o-7"),
    type: "order.place",
    fingerprint: "MESSAGE_INVALID message order.place",
  });
  expect(readFileSync(file, "utf8")).not.toContain("secret@");
});
