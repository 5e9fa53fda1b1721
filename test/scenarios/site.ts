import { execFile } from "node:child_process";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Admin } from "@platformatic/kafka";
import { startKafka, startNats, startPostgres, type Server } from "@waybill/brokers";
import type { Transport } from "@waybill/messaging";
import { kafkaTransport } from "@waybill/transport-kafka";
import { natsTransport } from "@waybill/transport-nats";

const run = promisify(execFile);

/** What an operator, or a mishap, does to a broker behind the back of those who use it. */
interface Operator extends AsyncDisposable {
  /** Resolves when the topic is gone. */
  deleteTopic(topic: string): Promise<void>;
  /** Deletes every message that the topic holds, as retention does. */
  deleteMessages(topic: string): Promise<void>;
}

/** A broker and a database for each of two services, all of them a test's own. */
export interface Site extends AsyncDisposable {
  readonly broker: Server;
  readonly databases: { readonly gate: Server; readonly ledger: Server };
  readonly operator: Operator;
  transport(): Promise<Transport>;
}

export const siteKinds = ["nats", "kafka"] as const;

const kinds = {
  nats: {
    start: () => startNats(),
    transport: (servers: string): Promise<Transport> => natsTransport({ servers }),
    operator: natsOperator,
  },
  kafka: {
    start: () => startKafka(),
    transport: (bootstrap: string): Promise<Transport> => kafkaTransport({ bootstrap }),
    operator: kafkaOperator,
  },
};

export async function openSite(kind: (typeof siteKinds)[number]): Promise<Site> {
  await using open = new AsyncDisposableStack();
  const { start, transport, operator } = kinds[kind];
  const [broker, gate, ledger] = await Promise.all([start(), startPostgres(), startPostgres()]);
  for (const server of [broker, gate, ledger]) open.use(server);
  const at = open.use(await operator(broker.url));
  const kept = open.move();
  return {
    broker,
    databases: { gate, ledger },
    operator: at,
    transport: () => transport(broker.url),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function natsOperator(url: string): Promise<Operator> {
  const admin = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const manager = await jetstreamManager(admin);
  return {
    async deleteTopic(topic) {
      await manager.streams.delete(topic);
    },
    async deleteMessages(topic) {
      await manager.streams.purge(topic);
    },
    [Symbol.asyncDispose]: () => admin.close(),
  };
}

async function kafkaOperator(url: string): Promise<Operator> {
  const admin = new Admin({ clientId: "operator", bootstrapBrokers: [url], retries: 20, retryDelay: 50 });
  return {
    async deleteTopic(topic) {
      await admin.deleteTopics({ topics: [topic] });
      while ((await admin.listTopics()).includes(topic));
    },
    async deleteMessages(topic) {
      const [found] = (await admin.metadata({ topics: [topic], forceUpdate: true })).topics.values();
      const partitions = Array.from({ length: found!.partitionsCount }, (_, partition) => partition);
      // Up to the end, whatever that is.
      const all = partitions.map((partition) => ({ partition, offset: -1n }));
      await admin.deleteRecords({ topics: [{ name: topic, partitions: all }] });
    },
    [Symbol.asyncDispose]: () => admin.close(),
  };
}

/**
 * Copies a server's data as they are at this moment, as a snapshot of its disk does. What it gives puts them back, once: the
 * server dies, and comes up with what it had then.
 */
export async function momentOf(server: Server): Promise<() => Promise<void>> {
  const data = join(server.folder, "data");
  const copy = join(server.folder, `data-${crypto.randomUUID()}`);
  server.pause();
  // With its owners: a database does not start on files of somebody else.
  await run("cp", ["-a", data, copy]).finally(() => server.resume());
  return async () => {
    await server.kill();
    rmSync(data, { recursive: true });
    renameSync(copy, data);
    await server.start();
  };
}
