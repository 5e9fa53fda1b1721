import { messageOf, type World } from "@waybill/messaging";
import type { Client } from "pg";
import { hangUp } from "./database.ts";
import { clientOf, placeOf, type PostgresOptions } from "./options.ts";

/** The longest pause before the next attempt to listen. */
const pauseMsMax = 10_000;

interface Watcher {
  readonly services: ReadonlySet<string>;
  readonly freed: () => void;
}

/** Hears of lanes that were freed by any process, over a connection of its own, as long as somebody wants to hear it. */
export interface Ear extends AsyncDisposable {
  add(services: readonly string[], freed: () => void): AsyncDisposable;
}

/**
 * `url` goes to the server itself: a pooler would give the connection to others. Without it nothing is heard, and
 * whoever waits looks for himself now and then.
 */
export function earOf(options: PostgresOptions, url: string | undefined, channel: string): Ear {
  const { world } = options;
  const watchers = new Set<Watcher>();
  const closing = new AbortController();
  let listening: Promise<void> | undefined;

  function heard(payload: string | undefined): void {
    const services = JSON.parse(payload ?? "[]") as string[];
    for (const watcher of watchers) if (services.some((one) => watcher.services.has(one))) watcher.freed();
  }

  return {
    add(services, freed) {
      const watcher = { services: new Set(services), freed };
      watchers.add(watcher);
      if (url !== undefined) listening ??= listen({ ...options, url }, channel, heard, world, closing.signal);
      return {
        async [Symbol.asyncDispose]() {
          watchers.delete(watcher);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      watchers.clear();
      closing.abort();
      await listening;
    },
  };
}

/** Listens until the signal is aborted; after a connection has broken, on another one. */
async function listen(
  options: PostgresOptions,
  channel: string,
  heard: (payload: string | undefined) => void,
  world: World,
  signal: AbortSignal,
): Promise<void> {
  const Connection = clientOf(options);
  for (let failures = 0; !signal.aborted;) {
    const client = new Connection({ ...placeOf(options), connectionTimeoutMillis: options.connectMs ?? 3_000 });
    try {
      await listenOn(client, channel, heard, signal, () => {
        failures = 0;
      });
    } catch (error) {
      failures += 1;
      if (failures === 1) {
        world.log("warn", "Lanes that other processes free are not heard of now; they are looked for.", {
          error: messageOf(error),
        });
      }
    }
    if (!signal.aborted) await world.sleep(Math.min(100 * 2 ** failures, pauseMsMax), signal);
  }
}

/** Resolves when the signal is aborted, rejects when the connection breaks. */
async function listenOn(
  client: Client,
  channel: string,
  heard: (payload: string | undefined) => void,
  signal: AbortSignal,
  onReady: () => void,
): Promise<void> {
  const over = Promise.withResolvers<void>();
  client.on("error", over.reject);
  client.on("end", () => over.reject(new Error("The connection ended.")));
  client.on("notification", ({ payload }) => heard(payload));
  const end = (): void => over.resolve();
  over.promise.catch(() => undefined);
  try {
    await client.connect();
    if (signal.aborted) return;
    signal.addEventListener("abort", end, { once: true });
    await client.query(`listen ${channel}`);
    onReady();
    await over.promise;
  } finally {
    signal.removeEventListener("abort", end);
    hangUp(client);
  }
}
