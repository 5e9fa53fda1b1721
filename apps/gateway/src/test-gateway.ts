import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openGateway, type Gateway, type GatewayOptions } from "./open.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line no-explicit-any -- a test reads whatever the gateway sent
  readonly body: any;
}

/** A gateway for a test, in a folder of its own that goes with it, and short ways to talk to it. */
export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly folder: string;
  get(path: string): Promise<Answer>;
  put(path: string, body: object): Promise<Answer>;
  post(path: string, key: string | undefined, body?: unknown, signal?: AbortSignal): Promise<Answer>;
  /** Authorises 10.00 EUR for an order named like the key. */
  authorise(key: string, token?: string, signal?: AbortSignal): Promise<Answer>;
  capture(paymentId: string, key: string, amount?: number): Promise<Answer>;
  /** All lines of the ledger. */
  ledger(query?: string): Promise<readonly Record<string, unknown>[]>;
  /** Closes the gateway and opens another on the same folder. */
  restart(): Promise<void>;
}

export async function openTestGateway(options: Partial<GatewayOptions> = {}): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), "waybill-gateway-"));
  const open = () => openGateway({ data: folder, port: 0, seed: 1, ...options });
  let gateway = await open();

  async function send(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(gateway.url + path, { method, ...init });
    const text = await response.text();
    const isJson = /[/+]json/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
    };
  }

  const json = { "content-type": "application/json" };

  function post(path: string, key: string | undefined, body?: unknown, signal?: AbortSignal): Promise<Answer> {
    return send("POST", path, {
      headers: {
        ...(key === undefined ? {} : { "idempotency-key": key }),
        ...(body === undefined ? {} : json),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  return {
    get gateway() {
      return gateway;
    },
    folder,
    get: (path) => send("GET", path),
    put: (path, body) => send("PUT", path, { headers: json, body: JSON.stringify(body) }),
    post,
    authorise: (key, token = "tok_approved", signal) =>
      post("/payments", key, { reference: `order-${key}`, amount: 1_000, currency: "EUR", token }, signal),
    capture: (paymentId, key, amount = 1_000) =>
      post(`/payments/${paymentId}/capture`, key, { amount, currency: "EUR" }),
    ledger: async (query = "") => {
      const { body } = await send("GET", `/ledger${query}`);
      return String(body)
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    restart: async () => {
      await gateway.close();
      gateway = await open();
    },
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
