import { readFileSync } from "node:fs";
import type { Topic, TopicSpec, Transport, World } from "@waybill/messaging";
import { codeOf, shareReading, WaybillError } from "@waybill/messaging";
import type { PostgresStore } from "@waybill/store-postgres";
import type { KafkaTransport } from "@waybill/transport-kafka";
import type { NatsTransport } from "@waybill/transport-nats";
import type { KafkaConnection, NatsConnection, PostgresConnection, Tls } from "./config/connections.ts";
import type { Config } from "./config/effective.ts";
import type { MirrorConfig } from "./config/mirrors.ts";
import { partitions, valueIn, type Durable, type Engine, type Keeping } from "./engine.ts";

const declaredWithinMs = 30_000;

/**
 * States in PostgreSQL, and each topic at its broker, for any number of processes. Throws STORE_UNAVAILABLE and
 * TRANSPORT_UNAVAILABLE when something cannot be reached, and CONTRACT_INVALID when the database is not migrated.
 */
export async function brokersEngine(config: Config, world: World): Promise<Engine> {
  await using open = new AsyncDisposableStack();
  const store = open.use(await openStore(config.postgres!, world));
  const brokers = new Map<string, Transport>();
  if (config.nats !== undefined) brokers.set("nats", open.use(await openNats(config.nats)));
  if (config.kafka !== undefined) brokers.set("kafka", open.use(await openKafka(config.kafka)));

  // Of the lanes in this process several read each topic: they read it along with each other.
  const shared = new Map(
    Array.from(brokers, ([name, transport]) => [name, open.use(shareReading(transport, { world }))]),
  );

  function transportOf(topic: string, among: ReadonlyMap<string, Transport> = shared): Transport {
    const transport = among.get(config.topics[topic]?.broker ?? "");
    if (transport !== undefined) return transport;
    throw new WaybillError("TOPIC_UNKNOWN", `The configuration has no topic "${topic}".`, { details: { topic } });
  }

  const kept = open.move();
  return {
    name: config.engine,
    store,
    transportOf: (topic) => transportOf(topic),
    durable: { transportOf: (topic) => transportOf(topic, brokers), ...durableStates(store) },
    spool: store.spool,
    keeping: keepingIn(store),
    mirrors: config.mirrors.map(({ topic, from, to }) => ({ topic, from: brokers.get(from)!, to: brokers.get(to)! })),
    lanesOf: (service) => config.services[service]?.lanes ?? 1,
    async declare(topics) {
      for (const topic of topics) await declared(transportOf(topic.name), specOf(config, topic), world);
      for (const mirror of config.mirrors) await declared(brokers.get(mirror.to)!, copyOf(mirror, topics), world);
    },
    // A database or a broker that is away is met by whoever needs it, and comes back by itself.
    health: () => ({ ok: true, fatal: false }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

// What an engine does not need is not loaded.
async function openStore({ url, password, schema, connectionsMax, listenUrl }: PostgresConnection, world: World) {
  const { postgresStore } = await import("@waybill/store-postgres");
  const more = { ...(password === undefined ? {} : { password }), ...(listenUrl === undefined ? {} : { listenUrl }) };
  return postgresStore({ url, schema, connectionsMax, world, ...more });
}

/** Connects. Throws TRANSPORT_UNAVAILABLE, and CONTRACT_INVALID for servers that are too old. */
export async function openNats(connection: NatsConnection): Promise<NatsTransport> {
  const { natsTransport } = await import("@waybill/transport-nats");
  return natsTransport(connection);
}

/** Connects. Throws TRANSPORT_UNAVAILABLE, and CONTRACT_INVALID for brokers that are too old. */
export async function openKafka(connection: KafkaConnection): Promise<KafkaTransport> {
  const { brokers, user, password, mechanism, tls } = connection;
  const { kafkaTransport } = await import("@waybill/transport-kafka");
  const sasl = user === undefined || password === undefined ? undefined : { mechanism, username: user, password };
  return kafkaTransport({ bootstrap: brokers.join(","), sasl, tls: tls && pemOf(tls) });
}

function pemOf({ caFile, certFile, keyFile }: Tls) {
  const textOf = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path, "utf8"));
  return { ca: textOf(caFile), cert: textOf(certFile), key: textOf(keyFile) };
}

/** Declares a topic; a broker that has just been started, or has much to do, gets half a minute. */
async function declared(transport: Transport, spec: TopicSpec, world: World): Promise<void> {
  const untilMs = world.monotonicMs() + declaredWithinMs;
  for (;;) {
    try {
      return await transport.declare(spec);
    } catch (error) {
      if (codeOf(error) !== "TRANSPORT_UNAVAILABLE" || world.monotonicMs() > untilMs) throw error;
      await world.sleep(500);
    }
  }
}

function specOf(config: Config, { name, bytesMax }: Topic) {
  const { broker: _broker, ...kept } = config.topics[name]!;
  return { name, partitions, bytesMax, ...kept };
}

/** What a mirrored topic is on the broker that it is copied to. */
function copyOf({ topic, from: _from, to: _to, ...kept }: MirrorConfig, topics: readonly Topic[]) {
  const { bytesMax } = topics.find(({ name }) => name === topic)!;
  return { name: topic, partitions, bytesMax, ...kept };
}

/** Brokers delete what is too old or too much, whoever has not read it: no topic is kept for anybody. */
function keepingIn({ keeping }: PostgresStore): Keeping {
  return { ...keeping, of: async (service) => ({ ...(await keeping.of(service)), topics: [] }) };
}

function durableStates({ states }: PostgresStore): Pick<Durable, "state" | "states"> {
  return {
    async state(service, kind, id) {
      const row = await states.one(service, kind.kind, id);
      return row === undefined ? undefined : valueIn(kind, row);
    },
    async states(service, kind, after, limit) {
      const rows = await states.page(service, kind.kind, after, limit);
      return rows.map((row) => ({ id: row.id, value: valueIn(kind, row) }));
    },
  };
}
