import { startKafka } from "./kafka.ts";
import { startNats } from "./nats.ts";
import { startPostgres } from "./postgres.ts";
import { givenUrl, type Kind } from "./kinds.ts";
import type { Server } from "./server.ts";

const starts = { nats: () => startNats(), kafka: () => startKafka(), postgres: () => startPostgres() };

/** Where the process that runs all test files hands out its servers. */
export const handOut = "WAYBILL_TEST_SERVERS";

/** The URL of a NATS server for all test files of a run; give streams names of your own. See {@link sharedUrl}. */
export function sharedNats(): Promise<string> {
  return sharedUrl("nats");
}

/** The bootstrap address of a Kafka for all test files of a run; give topics names of your own. */
export function sharedKafka(): Promise<string> {
  return sharedUrl("kafka");
}

/** The URL of a PostgreSQL for all test files of a run; make a database of your own in it. */
export function sharedPostgres(): Promise<string> {
  return sharedUrl("postgres");
}

/**
 * The variable of the environment (WAYBILL_NATS_URL and so on) if it is set; else the server of the test run, which
 * starts when a file first asks for it; else, outside of a test run, one that this process starts and keeps.
 */
async function sharedUrl(kind: Kind): Promise<string> {
  const given = givenUrl(kind);
  if (given !== undefined) return given;
  const desk = process.env[handOut];
  if (desk === undefined) return (await own.get(kind)).url;
  const answer = await fetch(`${desk}/${kind}`, { method: "POST" });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}

/** Servers that start when they are first asked for. */
export function lazyServers() {
  const started = new Map<Kind, Promise<Server>>();
  return {
    get(kind: Kind): Promise<Server> {
      const server = started.get(kind) ?? starts[kind]();
      started.set(kind, server);
      return server;
    },
    async [Symbol.asyncDispose]() {
      const settled = await Promise.allSettled(started.values());
      for (const one of settled) if (one.status === "fulfilled") await one.value[Symbol.asyncDispose]();
    },
  };
}

const own = lazyServers();
