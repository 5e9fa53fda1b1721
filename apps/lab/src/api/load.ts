import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** What the clients' process is asked to do. */
export interface Asked {
  readonly url: string;
  readonly skus: number;
  readonly connections: number;
  readonly seconds: number;
  /** Under load for so long before anything counts. */
  readonly warmUpSeconds: number;
  /** So many orders come each second, answered or not; undefined: each connection places its next when it is answered. */
  readonly perSecond?: number;
  /** Whether each order has an Idempotency-Key of its own. */
  readonly isKeyed: boolean;
}

/** What the clients saw. */
export interface Clients {
  /** All that were placed, those of the warm-up as well. */
  readonly orders: number;
  /** How long that took. */
  readonly wholeSeconds: number;
  readonly acceptedPerSecond: number;
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<string, number>>;
  /** From the moment at which an order was to be sent until it was answered. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly maxMs: number;
  /** Processor time of the clients' process, in cores. */
  readonly cores: number;
}

const script = fileURLToPath(new URL("clients.ts", import.meta.url));
const run = promisify(execFile);

/** Puts a server under load from a process of its own. */
export async function load(asked: Asked): Promise<Clients> {
  // With Node's own heap: what the clients cost is not what is measured.
  const { stdout } = await run(process.execPath, [
    "--disable-warning=ExperimentalWarning",
    script,
    JSON.stringify(asked),
  ]);
  return JSON.parse(stdout) as Clients;
}
