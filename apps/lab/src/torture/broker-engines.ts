import { audit, openBrokerBooks, openSqliteLedger } from "@waybill/auditor";
import { freePort, startKafka, startNats, startPostgres, startProxy, type Proxy, type Server } from "@waybill/brokers";
import { allTopics } from "@waybill/contracts";
import { loadConfig, openEngine, realWorld } from "@waybill/server";
import { migrate } from "@waybill/store-postgres";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { OpenEngine } from "./engines.ts";
import type { Fault } from "./faults.ts";

/** A server, and the wire between it and the shop. */
interface Wired extends AsyncDisposable {
  readonly server: Server;
  readonly wire: Proxy;
}

type Start = (port: number, wirePort: number) => Promise<Server>;

/** Starts a server behind a wire; the wire is there first, for Kafka tells its clients where to go on. */
async function wired(start: Start, url: string): Promise<Wired> {
  const port = await freePort();
  const wire = await startProxy(url.replace("PORT", String(port)));
  const server = await start(port, wire.port);
  return {
    server,
    wire,
    async [Symbol.asyncDispose]() {
      await wire[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const brokers = {
  nats: {
    variable: "WAYBILL_NATS_URL",
    start: () => wired((port) => startNats({ port }), "nats://127.0.0.1:PORT"),
  },
  kafka: {
    variable: "WAYBILL_KAFKA_URL",
    start: () => wired((port, advertisedPort) => startKafka({ port, advertisedPort }), "127.0.0.1:PORT"),
  },
} as const;

/** Two processes of the shop on a broker and PostgreSQL, each behind a wire of its own. */
export function onBroker(name: keyof typeof brokers): OpenEngine {
  return async (data) => {
    await using open = new AsyncDisposableStack();
    const { variable, start } = brokers[name];
    const broker = open.use(await start());
    const database = open.use(
      await wired((port) => startPostgres({ port }), "postgres://waybill@127.0.0.1:PORT/postgres"),
    );
    const { url } = database.server;
    await migrate({ url });
    const env = (of: keyof Pick<Wired, "server" | "wire">) => ({
      WAYBILL_ENGINE: name,
      WAYBILL_POSTGRES_URL: database[of].url,
      [variable]: broker[of].url,
    });
    // The audit looks at the servers themselves.
    const config = await loadConfig({ env: env("server") });
    const engine = open.use(await openEngine(config, { data, world: realWorld(() => undefined) }));
    const kept = open.move();
    return {
      name,
      processes: 2,
      args: [],
      env: env("wire"),
      faults: [...faultsOf(`the ${name} server`, broker), ...faultsOf("PostgreSQL", database)],
      async audit(look) {
        await using ledger = openSqliteLedger(join(data, "gateway", "gateway.sqlite"));
        const topics = allTopics.map((topic) => topic.name);
        const transportOf = (topic: string) => engine.transportOf(topic);
        await using books = await openBrokerBooks({ database: { url }, topics, transportOf });
        const report = await audit({ books, ledger });
        await look?.(books);
        return report;
      },
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    };
  };
}

function faultsOf(what: string, { server, wire }: Wired): readonly Fault[] {
  return [
    {
      name: `kill -9 of ${what}`,
      weight: 3,
      async inject() {
        const atMs = performance.now();
        await server.kill();
        await server.start();
        return atMs;
      },
    },
    {
      name: `${what} held (SIGSTOP)`,
      weight: 1,
      async inject({ chance }) {
        server.pause();
        await pause(chance.between(500, 6_000));
        server.resume();
        return performance.now();
      },
    },
    {
      name: `connections to ${what} cut`,
      weight: 2,
      async inject() {
        wire.cut();
        return performance.now();
      },
    },
    {
      name: `connections to ${what} frozen`,
      weight: 1,
      async inject({ chance }) {
        wire.freeze();
        await pause(chance.between(500, 6_000));
        if (chance.next() < 0.5) wire.cut();
        wire.thaw();
        return performance.now();
      },
    },
  ];
}
