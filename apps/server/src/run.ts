import { partsOf } from "./parts.ts";
import { startServer, startWork, type RunningServer, type RunningWork, type ServerOptions } from "./server.ts";

const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
const closeWithinMs = 15_000;

/**
 * Works until a signal asks for the end; resolves with the process' exit code once everything is closed. `ready` is told
 * what runs as soon as it does.
 */
export async function runServer(
  options: ServerOptions,
  ready: (running: RunningServer | RunningWork) => void,
): Promise<number> {
  const asked = signalled();
  const { api } = partsOf(options.config?.engine ?? "embedded", options.only, options.api);
  const running = api ? await startServer({ audit: true, ...options }) : await startWork(options);
  ready(running);
  await asked;
  const force = setTimeout(() => process.exit(1), closeWithinMs);
  await running.close();
  clearTimeout(force);
  return 0;
}

/** Resolves at the first signal. Later ones change nothing: a terminal and a launcher may both send theirs. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve());
  });
}

const engines: Readonly<Record<string, string>> = {
  embedded: "embedded, in the data folder",
  nats: "NATS JetStream and PostgreSQL",
  kafka: "Apache Kafka and PostgreSQL",
  hybrid: "NATS JetStream, Apache Kafka and PostgreSQL",
};

/** What to tell a person who has just started a shop, or a part of it. */
export function welcome(running: RunningServer | RunningWork): readonly string[] {
  const { engine, data, gatewayUrl, isSandbox, services } = running;
  const isOpen = "url" in running;
  const told = [
    isOpen ? `The shop is open at ${running.url}` : "At work, without an HTTP interface",
    `  engine   ${engines[engine]}`,
    `  works on ${services.join(", ") || "nothing: other processes do"}`,
    `  data     ${data}`,
    ...(gatewayUrl === undefined
      ? []
      : [`  gateway  ${gatewayUrl}${isSandbox ? " (a sandbox: no real money moves)" : ""}`]),
    "",
  ];
  const sample = isOpen ? running.sample : undefined;
  const first =
    sample && isOpen
      ? ["Place a first order, and wait until it is completed:", "", firstOrder(running.url, sample.sku), ""]
      : [];
  return [...told, ...first, "Ctrl-C ends it. Everything is kept for the next start."];
}

/** One line for a shell that places an order and shows its life. */
function firstOrder(url: string, sku: string): string {
  const body = {
    customer: { id: "ann", email: "ann@example.org" },
    currency: "GBP",
    lines: [{ sku, quantity: 2 }],
    payment: { token: "tok_approved" },
  };
  return `curl -sS '${url}/orders?pretty' -H 'content-type: application/json' -H 'prefer: wait=10' -d '${JSON.stringify(body)}'`;
}
