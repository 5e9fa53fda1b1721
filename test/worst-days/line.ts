import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A call to the gateway as it went over the line. */
export interface Passed {
  readonly what: string;
  /** Undefined: there was no answer. */
  readonly status: number | undefined;
}

/** A line between a shop and its gateway, which notes what passes and can be cut. */
export interface Line extends AsyncDisposable {
  readonly url: string;
  readonly passed: readonly Passed[];
  /** Which requests go nowhere; `POST /payments/…/capture`. */
  cuts: (what: string) => boolean;
  /** Called when a request has gone on. */
  onRequest: (what: string) => void;
}

/** A line to the gateway at this address. */
export async function lineTo(gatewayUrl: string): Promise<Line> {
  const passed: Passed[] = [];
  const server = createServer(pass);

  function pass(from: IncomingMessage, answer: ServerResponse): void {
    const what = `${from.method} ${from.url?.split("?", 1)[0]}`;
    const cut = () => {
      passed.push({ what, status: undefined });
      answer.destroy();
    };
    if (line.cuts(what)) return cut();
    const { method, headers } = from;
    const on = request(new URL(from.url ?? "/", gatewayUrl), { method, headers }, (came) => {
      passed.push({ what, status: came.statusCode });
      answer.writeHead(came.statusCode ?? 502, came.headers);
      came.pipe(answer);
    });
    on.on("error", cut);
    on.on("finish", () => line.onRequest(what));
    from.on("close", () => void (from.complete || on.destroy()));
    from.pipe(on);
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const line: Line = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    cuts: () => false,
    onRequest: () => undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return line;
}
