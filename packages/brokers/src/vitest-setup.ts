import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { isKind } from "./kinds.ts";
import { handOut, lazyServers } from "./shared.ts";

/**
 * Vitest's global set-up: a desk in its main process, of which test files in their own processes ask for servers.
 * The servers are this process's children and end with it, however it ends.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const servers = lazyServers();
  const desk = createServer((request, response) => {
    const kind = request.url?.slice(1) ?? "";
    if (!isKind(kind)) {
      response.writeHead(404).end(`There is no server called ${kind}.`);
      return;
    }
    servers.get(kind).then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  await new Promise<void>((resolve) => desk.listen(0, "127.0.0.1", resolve));
  desk.unref();
  process.env[handOut] = `http://127.0.0.1:${(desk.address() as AddressInfo).port}`;
  return async () => {
    desk.close();
    await servers[Symbol.asyncDispose]();
  };
}
