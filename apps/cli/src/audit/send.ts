import { requestOf, type SendTo } from "@waybill/auditor";
import { openPublisher } from "@waybill/messaging";
import { openEngine, partitions, realWorld, startGateway, type Config } from "@waybill/server";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findShop } from "../shop/found.ts";

const timeoutMs = 30_000;

/** Sends commands to a shop, as it is: over HTTP while a server can be asked, else into its doors. */
export function senderOf(
  config: Config,
  server: string | undefined,
  gateway: string | undefined,
): SendTo & AsyncDisposable {
  const open = new AsyncDisposableStack();
  const found = findShop(config, server);
  const isServed = found.isRunning === true;
  let publisher: ReturnType<typeof doorOf> | undefined;
  let gatewayUrl: Promise<string> | undefined;
  return {
    async message(type, body) {
      if (isServed) {
        const request = requestOf(type.name, body);
        if (request === undefined) throw new Error(`A running shop takes no ${type.name} over HTTP: stop it first.`);
        await found.post(request.path, request.body);
        return `taken at ${request.path}`;
      }
      publisher ??= doorOf(config, open);
      const { topic, partition } = await (await publisher).publish(type, body);
      return `stored in ${topic}/${partition}; the next start of the shop carries it out`;
    },
    async gateway({ path, key, body }) {
      gatewayUrl ??= gatewayOf(config.data, gateway, isServed, open);
      return post(new URL(path, await gatewayUrl), body, key);
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function doorOf(config: Config, open: AsyncDisposableStack) {
  const world = realWorld(() => undefined);
  const engine = open.use(await openEngine(config, { data: config.data, world }));
  const transportOf = (topic: string) => engine.transportOf(topic);
  const nowMs = () => engine.store.nowMs();
  return open.use(
    openPublisher({ transportOf, partitions, producer: "/waybill/audit", nowMs, newId: () => world.newId() }),
  );
}

/** The gateway that was named, or the sandbox of a shop that is stopped, for as long as it is needed. */
async function gatewayOf(
  data: string,
  gateway: string | undefined,
  isServed: boolean,
  open: AsyncDisposableStack,
): Promise<string> {
  if (gateway !== undefined && /^https?:/.test(gateway)) return gateway;
  const folder = join(data, "gateway");
  if (!isServed && existsSync(folder)) return open.use(await startGateway({ data: folder })).url;
  throw new Error("Say where the gateway is: --gateway http://…; a shop prints its address when it starts.");
}

async function post(url: URL, body: unknown, key: string): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url.pathname} answers ${response.status}: ${text.slice(0, 300)}`);
  return `${url.pathname} answers ${response.status}`;
}
