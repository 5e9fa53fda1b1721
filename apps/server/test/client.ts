import { startServer, type RunningServer, type ServerOptions } from "@waybill/server";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line no-explicit-any -- whatever the server says; the tests say what it must be
  readonly body: any;
}

/** A server in this process on a folder of its own, and what asks it. */
export interface TestServer extends AsyncDisposable {
  readonly server: RunningServer;
  readonly data: string;
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Puts a product and its stock in. */
  stockUp(sku: string, onHand: number, price?: string): Promise<void>;
}

export async function testServer(options: ServerOptions = {}): Promise<TestServer> {
  const data = options.data ?? mkdtempSync(join(tmpdir(), "waybill-server-"));
  const server = await startServer({ port: 0, seed: false, log: "none", dispatchAfterMs: 0, ...options, data });

  const ask: TestServer["ask"] = async (method, path, body, headers = {}) => {
    const isText = typeof body === "string";
    const type: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(server.url + path, {
      method,
      headers: { ...type, ...headers },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  };

  return {
    server,
    data,
    ask,
    async stockUp(sku, onHand, price = "2.55") {
      const path = encodeURIComponent(sku);
      await ask("PUT", `/products/${path}`, { title: `A ${sku}`, price, currency: "EUR" });
      await ask("POST", `/stock/${path}/adjustments`, { quantity: onHand, reason: "First delivery" });
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** A valid order's body, with some members replaced. */
export function orderBody(over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    customer: { id: "c-1", email: "ann@example.org" },
    currency: "EUR",
    lines: [{ sku: "mug", quantity: 2 }],
    payment: { token: "tok_approved" },
    ...over,
  };
}
