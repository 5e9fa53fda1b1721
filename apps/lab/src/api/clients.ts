// Clients of the HTTP interface in a process of their own: `clients.ts JSON`. Prints one line of JSON.
import { Client, Pool, type Dispatcher } from "undici";
import { quantile } from "../drive.ts";
import type { Asked, Clients } from "./load.ts";

/** Clients do not share an order; what they order is spread over all SKUs. */
let begun = 0;
const { url, skus, connections, seconds, perSecond, isKeyed, warmUpSeconds } = JSON.parse(process.argv[2]!) as Asked;
const latencies: number[] = [];
const statuses: Record<string, number> = {};

function request(): Dispatcher.DispatchOptions {
  const n = begun++;
  const lines = [1, 7, 13].map((step, at) => ({ sku: `SKU-${(n * step + at) % skus}`, quantity: 1 + (n % 3) }));
  const customer = { id: `c-${n % 5_000}`, email: `c-${n % 5_000}@customers.example` };
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (isKeyed) headers["idempotency-key"] = `${process.pid}-${n}`;
  const body = JSON.stringify({ customer, currency: "EUR", lines, payment: { token: "tok_approved" } });
  return { method: "POST", path: "/orders", headers, body };
}

/** Places one order; resolves when it is answered, whatever the answer. Waits for a free connection in the client's own queue. */
function place(client: Dispatcher, sinceMs: number, isCounted: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let status = 0;
    client.dispatch(request(), {
      onRequestStart() {},
      onResponseStart(_controller, code) {
        status = code;
      },
      onResponseData() {},
      onResponseEnd() {
        if (isCounted()) {
          latencies.push(performance.now() - sinceMs);
          statuses[status] = (statuses[status] ?? 0) + 1;
        }
        resolve();
      },
      onResponseError(_controller, error) {
        reject(error);
      },
    });
  });
}

const warmUpMs = warmUpSeconds * 1_000;
const beganMs = performance.now();
const endMs = beganMs + warmUpMs + seconds * 1_000;
const isCounted = (): boolean => performance.now() >= beganMs + warmUpMs && performance.now() < endMs;

/** Each connection has one request under way, and begins the next when it is answered. */
async function closed(): Promise<void> {
  const client = async () => {
    const connection = new Client(url);
    while (performance.now() < endMs) await place(connection, performance.now(), isCounted);
    await connection.close();
  };
  await Promise.all(Array.from({ length: connections }, client));
}

/** Orders come at their times, whether or not those before are answered; what one waits for a connection counts as well. */
async function open(rate: number): Promise<void> {
  const pool = new Pool(url, { connections });
  const all: Promise<void>[] = [];
  const count = Math.round((warmUpSeconds + seconds) * rate);
  for (let n = 0; n < count;) {
    const due = Math.min(count, Math.floor(((performance.now() - beganMs) * rate) / 1_000));
    for (; n < due; n++) {
      const dueMs = beganMs + (n * 1_000) / rate;
      all.push(place(pool, dueMs, () => dueMs >= beganMs + warmUpMs));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(all);
  await pool.close();
}

const cpu = process.cpuUsage();
await (perSecond === undefined ? closed() : open(perSecond));
const { user, system } = process.cpuUsage(cpu);
const wholeSeconds = (performance.now() - beganMs) / 1_000;
latencies.sort((a, b) => a - b);
const result: Clients = {
  orders: begun,
  wholeSeconds,
  acceptedPerSecond: (statuses["202"] ?? 0) / seconds,
  statuses,
  latencyMs: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
  maxMs: latencies.at(-1) ?? Number.NaN,
  cores: (user + system) / 1_000_000 / wholeSeconds,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
