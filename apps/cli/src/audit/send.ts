import { requestOf, type SendTo } from "@waybill/auditor";
import { openPublisher } from "@waybill/messaging";
import { embeddedEngine, localKeyFile, partitions, realWorld, startGateway } from "@waybill/server";
import { readServerInfo } from "@waybill/store-sqlite";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../shop/found.ts";

const timeoutMs = 30_000;

/** Sends commands to the shop of a data folder, as it is: over HTTP while a server runs there, else into its doors. */
export function senderOf(data: string, gateway: string | undefined): SendTo & AsyncDisposable {
  const open = new AsyncDisposableStack();
  const info = readServerInfo(data);
  const url = info !== undefined && isAlive(info.pid) ? info.url : undefined;
  let publisher: ReturnType<typeof doorOf> | undefined;
  let gatewayUrl: Promise<string> | undefined;
  return {
    async message(type, body) {
      if (url !== undefined) return overHttp(url, data, type.name, body);
      publisher ??= doorOf(data, open);
      const { topic, partition } = await (await publisher).publish(type, body);
      return `stored in ${topic}/${partition}; the next start of the shop carries it out`;
    },
    async gateway({ path, key, body }) {
      gatewayUrl ??= gatewayOf(data, gateway, url !== undefined, open);
      return post(new URL(path, await gatewayUrl), body, { "idempotency-key": key });
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function doorOf(data: string, open: AsyncDisposableStack) {
  const world = realWorld(() => undefined);
  const engine = open.use(await embeddedEngine({ folder: data, world }));
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
  isRunning: boolean,
  open: AsyncDisposableStack,
): Promise<string> {
  if (gateway !== undefined && /^https?:/.test(gateway)) return gateway;
  const folder = join(data, "gateway");
  if (!isRunning && existsSync(folder)) return open.use(await startGateway({ data: folder })).url;
  throw new Error("Say where the gateway is: --gateway http://…; a shop prints its address when it starts.");
}

async function overHttp(
  url: string,
  data: string,
  type: string,
  body: Readonly<Record<string, unknown>>,
): Promise<string> {
  const request = requestOf(type, body);
  if (request === undefined) throw new Error(`A running shop takes no ${type} over HTTP: stop it, and try again.`);
  return post(new URL(request.path, url), request.body, headersFor(data));
}

/** A server with keys lets in who may read its folder. */
function headersFor(data: string): Record<string, string> {
  const file = localKeyFile(data);
  return existsSync(file) ? { authorization: `Bearer ${readFileSync(file, "utf8").trim()}` } : {};
}

async function post(url: URL, body: unknown, headers: Record<string, string>): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url.pathname} answers ${response.status}: ${text.slice(0, 300)}`);
  return `${url.pathname} answers ${response.status}`;
}
