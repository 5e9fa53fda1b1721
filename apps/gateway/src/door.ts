import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** The listening socket, which can be shut for a while so that connections are truly refused. */
export interface Door {
  /** Cuts all connections and refuses new ones for this long. */
  shut(forMs: number): void;
  /** Opens it no more. */
  lock(): void;
}

export function doorOf(server: Server, log: (error: unknown) => void): Door {
  const { address: host, port } = server.address() as AddressInfo;
  let reopening: NodeJS.Timeout | undefined;

  function shut(forMs: number): void {
    if (reopening !== undefined) return;
    server.close();
    server.closeAllConnections();
    reopening = setTimeout(open, forMs);
  }

  function open(): void {
    reopening = undefined;
    // Somebody else may have taken the port meanwhile: nothing can be done about it here but to say so.
    server.once("error", log);
    server.listen({ port, host }, () => server.removeListener("error", log));
  }

  return { shut, lock: () => clearTimeout(reopening) };
}
