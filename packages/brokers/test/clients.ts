import { readFileSync } from "node:fs";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import { Admin, ListOffsetTimestamps, Producer, stringSerializers, type SASLMechanismValue } from "@platformatic/kafka";
import { Pool } from "pg";
import type { Server } from "@waybill/brokers";

/** The least of a client that shows whether a server keeps what it acknowledged. */
export interface Notes extends AsyncDisposable {
  /** Resolves when the server has acknowledged it. */
  write(text: string): Promise<void>;
  count(): Promise<number>;
}

export interface Login {
  readonly name: string;
  readonly password: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** As the client of a server that asks for a name, a password and a certificate. */
export function loginTo({ certificates }: Server, name: string, password: string): Login {
  const text = (path: string) => readFileSync(path, "utf8");
  const { ca, clientCertificate, clientKey } = certificates!;
  return { name, password, ca: text(ca), certificate: text(clientCertificate), key: text(clientKey) };
}

export async function natsNotes(url: string, login?: Login, replicas = 1): Promise<Notes> {
  const options: NodeConnectionOptions = { servers: url.split(","), maxReconnectAttempts: -1, reconnectTimeWait: 20 };
  const connection = await connect({ ...options, ...(login && natsLogin(login)) });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: "notes", subjects: ["notes"], num_replicas: replicas });
  return {
    write: async (text) => await written(connection, text),
    count: async () => (await manager.streams.info("notes")).state.messages,
    [Symbol.asyncDispose]: async () => await connection.close(),
  };
}

function natsLogin({ name, password, ca, certificate, key }: Login): NodeConnectionOptions {
  return { user: name, pass: password, tls: { ca, cert: certificate, key } };
}

async function written(connection: NatsConnection, text: string): Promise<void> {
  await jetstream(connection).publish("notes", text, { retries: 100, timeout: 30_000 });
}

export async function kafkaNotes(url: string, login?: Login, mechanism?: SASLMechanismValue): Promise<Notes> {
  const secure = login && {
    sasl: { mechanism: mechanism!, username: login.name, password: login.password },
    tls: { ca: login.ca, cert: login.certificate, key: login.key },
  };
  const options = { clientId: "notes", bootstrapBrokers: url.split(","), retries: 100, retryDelay: 100, ...secure };
  const admin = new Admin(options);
  const producer = new Producer({ ...options, serializers: stringSerializers });
  try {
    await admin.createTopics({ topics: ["notes"], partitions: 1, replicas: -1 });
  } catch (error) {
    if (!String((error as { errors?: unknown[] }).errors?.[0]).includes("already exists")) {
      await Promise.all([admin.close(), producer.close()]);
      throw error;
    }
  }
  return {
    async write(text) {
      await producer.send({ messages: [{ topic: "notes", value: text }], acks: -1 });
    },
    async count() {
      const partitions = [{ partitionIndex: 0, timestamp: ListOffsetTimestamps.LATEST }];
      const [topic] = await admin.listOffsets({ topics: [{ name: "notes", partitions }] });
      return Number(topic!.partitions[0]!.offset);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([admin.close(), producer.close()]);
    },
  };
}

export async function postgresNotes(url: string, login?: Login): Promise<Notes> {
  const pool = new Pool({ connectionString: url, ...(login && { ssl: { ca: login.ca } }) });
  // Connections that wait in the pool break when their server is killed; the next query takes a fresh one.
  pool.on("error", () => {});
  try {
    await pool.query("CREATE TABLE IF NOT EXISTS notes (text text NOT NULL)");
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    async write(text) {
      await pool.query("INSERT INTO notes VALUES ($1)", [text]);
    },
    async count() {
      const { rows } = await pool.query<{ count: string }>("SELECT count(*) FROM notes");
      return Number(rows[0]!.count);
    },
    [Symbol.asyncDispose]: async () => await pool.end(),
  };
}
