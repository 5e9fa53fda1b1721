import { createServer } from "node:net";

/** Below the ports that Linux and macOS take for outgoing connections: a port stays free while its server is down. */
const first = 15_000;
const count = 17_000;
const taken = new Set<number>();

/** A port of 127.0.0.1 on which nobody listens, and which this process has not been given before. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = first + Math.floor(Math.random() * count);
    if (taken.has(port)) continue;
    taken.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`Of 100 ports tried between ${first} and ${first + count}, none is free on 127.0.0.1.`);
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
