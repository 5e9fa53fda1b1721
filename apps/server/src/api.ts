import { openLiveAudit } from "@waybill/auditor";
import { topics } from "@waybill/contracts";
import { messageOf } from "@waybill/messaging";
import type { FastifyInstance } from "fastify";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openDoor } from "./door.ts";
import { isLoopback } from "./http/access/guard.ts";
import { readKeyFile } from "./http/access/key-file.ts";
import { openKeys, openLocalKey } from "./http/access/keys.ts";
import { httpApp } from "./http/app.ts";
import { shopServices } from "./services.ts";
import { openWatch } from "./watch.ts";
import type { Work } from "./work.ts";

export interface ApiOptions {
  readonly host: string;
  readonly port: number | undefined;
  /** The file of API keys. Default `keys.json` in the data folder. */
  readonly keys: string | undefined;
  /** Whether an embedded shop's books are audited beside the work. */
  readonly audit: boolean;
  readonly isSeeded: () => boolean;
}

/** The HTTP interface, listening. */
export interface Api extends AsyncDisposable {
  readonly url: string;
}

/** What requests wait for. */
const watched = [topics.orders, topics.products, topics.stock, topics.shipments, topics.payments];
const portDefault = 4_800;
const portsTried = 20;
/** How long what is under way may take when the interface ends. */
const endWithinMs = 5_000;

/** Opens the HTTP interface of a process at work. */
export async function openApi(work: Work, options: ApiOptions): Promise<Api> {
  const { engine, world, shop, meter, config, data } = work;
  const { host, port, isSeeded } = options;
  const file = keyFileOf(data, options.keys);
  await using open = new AsyncDisposableStack();
  const watch = open.use(await openWatch(engine, world, watched));
  // Commands on this machine ask the server of a data folder; where several share one, they read the engine themselves.
  const local = engine.name === "embedded" ? { local: open.use(openLocalKey(data)).entry } : {};
  const keys = openKeys({ file, isLoopback: isLoopback(host), world, ...local });
  const door = openDoor(shop.publisher, () => engine.health(), world.log);
  const services = shopServices({ paymentDeadlineMs: undefined, ...config.shop });
  const isAudited = options.audit && engine.name === "embedded";
  const audit = isAudited ? open.use(openLiveAudit({ folder: data, log: work.log })) : undefined;
  const { worker } = shop;
  const app = await httpApp({ engine, world, services, worker, door, watch, keys, meter, audit, isSeeded });
  open.defer(() => end(app));
  const url = await listen(app, host, port);
  const kept = open.move();
  return { url, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Answers what is under way, and then nothing more: a client that sends half a request must not keep the process up. */
async function end(app: FastifyInstance): Promise<void> {
  const limit = setTimeout(() => app.server.closeAllConnections(), endWithinMs);
  await app.close().finally(() => clearTimeout(limit));
}

function keyFileOf(data: string, keys: string | undefined): string {
  return keys ?? join(data, "keys.json");
}

/** Whoever reaches a server without keys may do everything: then nobody but this machine may reach it. */
export function refuseOpenDoor(host: string, data: string, keys: string | undefined): void {
  const file = keyFileOf(data, keys);
  if (isLoopback(host) || readKeyFile(file).length > 0) return;
  throw new Error(
    `The server does not listen on ${host} without an API key: ${file} has none. ` +
      "Make one with: waybill key new --role operator",
  );
}

/** Listens on the port that is asked for, or on the default or the first that is free after it. */
async function listen(app: FastifyInstance, host: string, port: number | undefined): Promise<string> {
  const last = port ?? portDefault + portsTried - 1;
  for (let at = port ?? portDefault; ; at++) {
    try {
      await app.listen({ host, port: at });
      const { port: given } = app.server.address() as AddressInfo;
      return `http://${host.includes(":") ? `[${host}]` : host}:${given}`;
    } catch (error) {
      const isTaken = (error as { code?: string }).code === "EADDRINUSE";
      if (isTaken && at < last) continue;
      if (!isTaken)
        throw new Error(`The server cannot listen on ${host}:${at}: ${messageOf(error)}.`, { cause: error });
      const taken =
        port === undefined ? `The ports ${portDefault} to ${last} of ${host} are` : `Port ${at} of ${host} is`;
      throw new Error(`${taken} in use. Choose another with --port.`, { cause: error });
    }
  }
}
