import { startServer, type RunningServer, type ServerOptions } from "./server.ts";

const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
const closeWithinMs = 15_000;

/**
 * Serves until a signal asks for the end; resolves with the process' exit code once everything is closed. `print` gets the
 * text for people when the shop is ready, a line at a time.
 */
export async function runServer(options: ServerOptions, print: (line: string) => void): Promise<number> {
  const asked = signalled();
  const server = await startServer({ audit: true, ...options });
  for (const line of welcome(server)) print(line);
  await asked;
  const force = setTimeout(() => process.exit(1), closeWithinMs);
  await server.close();
  clearTimeout(force);
  return 0;
}

/** Resolves at the first signal. Later ones change nothing: a terminal and a launcher may both send theirs. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve());
  });
}

/** What to tell a person who has just started a shop. */
export function welcome({ url, data, gatewayUrl, sample }: RunningServer): readonly string[] {
  const told = [
    `The shop is open at ${url}`,
    `  data     ${data}`,
    `  gateway  ${gatewayUrl} (a sandbox: no real money moves)`,
    "",
  ];
  const first = sample && ["Place a first order, and wait until it is completed:", "", firstOrder(url, sample.sku), ""];
  return [...told, ...(first ?? []), "Ctrl-C ends it. Everything is kept for the next start."];
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
