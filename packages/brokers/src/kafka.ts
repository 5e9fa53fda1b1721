import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeCertificates } from "./certificates.ts";
import { freePort } from "./ports.ts";
import { java, kafkaJars } from "./programs.ts";
import { homeFor, serve, type Recipe } from "./serve.ts";
import { clusterOf, type Certificates, type Cluster, type Server, type ServerOptions } from "./server.ts";

const run = promisify(execFile);

/** As in the file that Kafka reads. */
export type Properties = Readonly<Record<string, string | number | boolean>>;

export interface KafkaOptions extends ServerOptions {
  /** What clients are told to connect to; left out: the port itself. For a proxy between them and the broker. */
  readonly advertisedPort?: number;
  /** Clients log in with SCRAM-SHA-256 or SCRAM-SHA-512 as this user. */
  readonly user?: { readonly name: string; readonly password: string };
  /** true: clients speak TLS. "mutual": and show a certificate that the server's authority signed. */
  readonly tls?: boolean | "mutual";
  /** Properties of the broker, in addition to our own or in their place. */
  readonly properties?: Properties;
  /** Of Java, in MiB; 384 if left out. */
  readonly heapMb?: number;
}

export type KafkaClusterOptions = Omit<KafkaOptions, "port" | "advertisedPort"> & {
  /** Of the three brokers. */
  readonly ports?: readonly [number, number, number];
  /** What clients are told to connect to, by broker. */
  readonly advertisedPorts?: readonly [number, number, number];
};

/** The ports of one node: for clients, for the other brokers and for the other controllers. */
interface Node {
  readonly client: number;
  readonly broker: number;
  readonly controller: number;
}

interface Membership {
  readonly clusterId: string;
  readonly nodes: readonly Node[];
}

/** One Kafka node, broker and controller at once (KRaft). Topics are not made by themselves. */
export async function startKafka(options: KafkaOptions = {}): Promise<Server> {
  return await serve(await kafkaRecipe(options));
}

/** Three, each broker and controller; topics have three replicas, of which two must have a message. */
export async function startKafkaCluster(options: KafkaClusterOptions = {}): Promise<Cluster> {
  const started = await Promise.allSettled((await kafkaClusterRecipes(options)).map(serve));
  const cluster = clusterOf(started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
  const failed = started.find((one) => one.status === "rejected");
  if (failed === undefined) return cluster;
  await cluster[Symbol.asyncDispose]();
  throw failed.reason;
}

export async function kafkaRecipe(options: KafkaOptions = {}): Promise<Recipe> {
  return await recipeOf(options, 1, { clusterId: newClusterId(), nodes: [await nodeAt(options.port)] });
}

export async function kafkaClusterRecipes(options: KafkaClusterOptions = {}): Promise<Recipe[]> {
  const { ports = [undefined, undefined, undefined], advertisedPorts, ...shared } = options;
  const membership = { clusterId: newClusterId(), nodes: await Promise.all(ports.map(nodeAt)) };
  return await Promise.all(
    membership.nodes.map((_, index) => {
      const folder = shared.folder === undefined ? {} : { folder: join(shared.folder, `kafka-${index + 1}`) };
      const advertised = advertisedPorts === undefined ? {} : { advertisedPort: advertisedPorts[index]! };
      return recipeOf({ ...shared, ...folder, ...advertised }, index + 1, membership);
    }),
  );
}

async function nodeAt(port?: number): Promise<Node> {
  return { client: port ?? (await freePort()), broker: await freePort(), controller: await freePort() };
}

async function recipeOf(options: KafkaOptions, id: number, membership: Membership): Promise<Recipe> {
  const [jars, program] = [await kafkaJars(), await java()];
  const home = homeFor("kafka", options);
  const { tls = false, heapMb = 384 } = options;
  const certificates = tls === false ? undefined : await makeCertificates(join(home.folder, "certificates"));
  const path = join(home.folder, "kafka.properties");
  const properties = propertiesOf(options, id, membership, join(home.folder, "data"), certificates);
  writeFileSync(path, properties.map(([name, value]) => `${name}=${value}\n`).join(""));
  const run = ["-XX:+UseSerialGC", "-XX:-UsePerfData", "-Djava.awt.headless=true", "-cp", `${jars}/*`];
  await format(program, run, path, options, membership, home.folder);
  const port = membership.nodes[id - 1]!.client;
  const say = ["-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"];
  return {
    name: "Kafka",
    url: `127.0.0.1:${port}`,
    port,
    home,
    certificates,
    command: { program, args: [`-Xmx${heapMb}m`, ...say, ...run, "kafka.Kafka", path] },
    ready: "Kafka Server started",
    stopSignal: "SIGTERM",
  };
}

/** Makes the folder of data, once: the format holds the cluster's identity and the users. */
async function format(
  java: string,
  options: readonly string[],
  properties: string,
  { user }: KafkaOptions,
  { clusterId }: Membership,
  folder: string,
): Promise<void> {
  if (existsSync(join(folder, "data", "meta.properties"))) return;
  const login = user === undefined ? "" : `[name=${user.name},password=${user.password}]`;
  const users =
    user === undefined ? [] : ["256", "512"].flatMap((bits) => ["--add-scram", `SCRAM-SHA-${bits}=${login}`]);
  const tool = ["-XX:TieredStopAtLevel=1", ...options, "kafka.tools.StorageTool", "format"];
  await run(java, [...tool, "-t", clusterId, "-c", properties, ...users]);
}

function propertiesOf(
  options: KafkaOptions,
  id: number,
  { nodes }: Membership,
  data: string,
  certificates: Certificates | undefined,
): [string, string | number | boolean][] {
  const { client, broker, controller } = nodes[id - 1]!;
  const replicas = nodes.length;
  const inSync = Math.min(replicas, 2);
  const at = (name: string, port: number) => `${name}://127.0.0.1:${port}`;
  const known: Properties = {
    "node.id": id,
    "process.roles": "broker,controller",
    // Brokers talk past what clients use, so a proxy before the clients' port disturbs clients only.
    listeners: [at("CLIENT", client), at("BROKER", broker), at("CONTROLLER", controller)].join(),
    "advertised.listeners": [at("CLIENT", options.advertisedPort ?? client), at("BROKER", broker)].join(),
    "listener.security.protocol.map": `CLIENT:${protocolOf(options)},BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    "inter.broker.listener.name": "BROKER",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.voters": nodes.map((node, index) => `${index + 1}@127.0.0.1:${node.controller}`).join(),
    "log.dirs": data,
    "auto.create.topics.enable": false,
    "default.replication.factor": replicas,
    "min.insync.replicas": inSync,
    // Kafka's own topics: few partitions start quicker, and one broker cannot hold three replicas.
    ...ownTopics("offsets.topic", "offsets.topic.num.partitions", replicas),
    ...ownTopics("transaction.state.log", "transaction.state.log.num.partitions", replicas),
    ...ownTopics("share.coordinator.state.topic", "share.coordinator.state.topic.num.partitions", replicas),
    "transaction.state.log.min.isr": inSync,
    "share.coordinator.state.topic.min.isr": inSync,
    "group.initial.rebalance.delay.ms": 0,
    // A broker that was killed may register again only when its old session is over. Alone it keeps nobody waiting.
    ...(replicas === 1 && { "broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 500 }),
    // The default of 128 MiB is a third of the heap.
    "log.cleaner.dedupe.buffer.size": 8 << 20,
    ...securityOf(options, certificates),
    ...options.properties,
  };
  return Object.entries(known);
}

function ownTopics(name: string, partitions: string, replicas: number): Record<string, number> {
  return { [`${name}.replication.factor`]: replicas, [partitions]: 4 };
}

function protocolOf({ user, tls = false }: KafkaOptions): string {
  const transport = tls === false ? "PLAINTEXT" : "SSL";
  return user === undefined ? transport : `SASL_${transport}`;
}

function securityOf({ user, tls }: KafkaOptions, certificates: Certificates | undefined): Record<string, string> {
  const properties: Record<string, string> = {};
  if (user !== undefined) {
    properties["sasl.enabled.mechanisms"] = "SCRAM-SHA-256,SCRAM-SHA-512";
    for (const bits of ["256", "512"])
      properties[`listener.name.client.scram-sha-${bits}.sasl.jaas.config`] =
        "org.apache.kafka.common.security.scram.ScramLoginModule required;";
  }
  if (certificates !== undefined) {
    const oneLine = (path: string) =>
      readFileSync(path, "utf8")
        .trim()
        .replaceAll("\n", String.raw`\n`);
    properties["ssl.keystore.type"] = "PEM";
    properties["ssl.keystore.key"] = oneLine(certificates.serverKey);
    properties["ssl.keystore.certificate.chain"] = oneLine(certificates.serverCertificate);
    properties["ssl.truststore.type"] = "PEM";
    properties["ssl.truststore.certificates"] = oneLine(certificates.ca);
    // Kafka heeds this together with SASL only where it is said of the listener.
    properties["listener.name.client.ssl.client.auth"] = tls === "mutual" ? "required" : "none";
  }
  return properties;
}

/** As Kafka writes them: 16 bytes in base64url, which must not look like an option of a command. */
function newClusterId(): string {
  const id = randomBytes(16).toString("base64url");
  return id.startsWith("-") ? newClusterId() : id;
}
