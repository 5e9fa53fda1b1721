import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { untilAnswered } from "../torture/http-client.ts";
import { startShop } from "../torture/shop-process.ts";

/** `waybill start` in a process of its own, with products and stock, in a folder that goes with it. */
export interface Server extends AsyncDisposable {
  readonly url: string;
  /** Processor time of the server's process so far, in seconds. */
  cpuSeconds(): Promise<number>;
  /** Resolves when everything that was accepted is done; how many seconds that took. */
  drained(): Promise<number>;
}

export const skus = 1_000;
const preload = new URL("preload.ts", import.meta.url).href;
/** Until nothing was on its way for so long, something may still be due. */
const quietMs = 1_000;
const lookEveryMs = 200;

/** Starts the real server, or the variant of it that is named, with so many products. */
export async function startServer(base: string, variant = "", products = skus): Promise<Server> {
  const folder = mkdtempSync(join(base, "api-"));
  const options = [process.env["NODE_OPTIONS"], variant === "" ? undefined : `--import=${preload}`];
  const env = { NODE_OPTIONS: options.filter((one) => one !== undefined).join(" "), WAYBILL_VARIANT: variant };
  const shop = await startShop(["--data", folder, "--port", "0", "--no-seed", "--dispatch-after", "0.05"], env);
  const { url } = shop;
  await stockUp(url, products);

  return {
    url,
    cpuSeconds: async () => figure(await metrics(url), "process_cpu_seconds_total"),
    async drained() {
      const beganMs = performance.now();
      for (let sinceMs = beganMs; performance.now() - sinceMs < quietMs; await pause(lookEveryMs)) {
        const text = await metrics(url);
        const open = ["waybill_lane_lag_messages", "waybill_effects_waiting", "waybill_lane_stopped"];
        if (open.some((name) => figure(text, name) > 0)) sinceMs = performance.now();
      }
      return (performance.now() - beganMs - quietMs) / 1_000;
    },
    async [Symbol.asyncDispose]() {
      await shop.end("SIGKILL");
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function stockUp(url: string, products: number): Promise<void> {
  const ask = (method: string, path: string, body: unknown) => untilAnswered(() => url, method, path, { body });
  let next = 0;
  const one = async () => {
    for (let n = next++; n < products; n = next++) {
      await ask("PUT", `/products/SKU-${n}`, { title: `Thing ${n}`, price: "12.50", currency: "EUR" });
      await ask("POST", `/stock/SKU-${n}/adjustments`, { quantity: 100_000_000, reason: "A delivery" });
    }
  };
  await Promise.all(Array.from({ length: 32 }, one));
}

async function metrics(url: string): Promise<string> {
  const response = await fetch(`${url}/metrics`);
  if (!response.ok) throw new Error(`GET /metrics was answered with ${response.status}.`);
  return response.text();
}

/** The sum of a figure over all its labels. */
function figure(text: string, name: string): number {
  const found = text.matchAll(new RegExp(String.raw`^${name}(?:\{[^}]*\})? (\S+)$`, "gm"));
  return Array.from(found, ([, value]) => Number(value)).reduce((sum, value) => sum + value, 0);
}
