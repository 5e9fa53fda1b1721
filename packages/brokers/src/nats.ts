import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificates } from "./certificates.ts";
import { freePort } from "./ports.ts";
import { becomes } from "./processes.ts";
import { natsServer } from "./programs.ts";
import { homeFor, serve, type Home, type Recipe } from "./serve.ts";
import { clusterOf, type Certificates, type Cluster, type Server, type ServerOptions } from "./server.ts";

export interface NatsOptions extends ServerOptions {
  /** "always" (the default: every acknowledged message is on the disk), or a time such as "2m". */
  readonly syncInterval?: string;
  readonly maxPayloadBytes?: number;
  readonly user?: { readonly name: string; readonly password: string };
  readonly token?: string;
  /** true: clients speak TLS. "mutual": and show a certificate that the server's authority signed. */
  readonly tls?: boolean | "mutual";
  /** Lines added to the end of the settings. */
  readonly config?: string;
}

export type NatsClusterOptions = Omit<NatsOptions, "port"> & {
  /** Where clients find the three. */
  readonly ports?: readonly [number, number, number];
};

/** A NATS server with JetStream. */
export async function startNats(options: NatsOptions = {}): Promise<Server> {
  return await serve(await natsRecipe(options));
}

/** Three that know of each other; streams may have three replicas. Resolves when they have chosen a leader. */
export async function startNatsCluster(options: NatsClusterOptions = {}): Promise<Cluster> {
  const recipes = await natsClusterRecipes(options);
  const started = await Promise.allSettled(recipes.map(serve));
  const servers = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const cluster = clusterOf(servers);
  try {
    for (const one of started) if (one.status === "rejected") throw one.reason;
    await natsClusterAgrees(recipes);
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  return cluster;
}

export interface NatsRecipe extends Recipe {
  /** Where it answers /healthz, /jsz and the like. */
  readonly monitor: string;
}

export async function natsClusterRecipes(options: NatsClusterOptions = {}): Promise<NatsRecipe[]> {
  const { ports = [undefined, undefined, undefined], ...shared } = options;
  const own = [await freePort(), await freePort(), await freePort()];
  const routes = own.map((port) => `nats-route://127.0.0.1:${port}`).join(", ");
  return await Promise.all(
    ports.map((port, index) => {
      // Without no_advertise a client would learn the addresses of all, and go around a proxy.
      const cluster = `cluster { name: waybill, listen: "127.0.0.1:${own[index]}", routes: [${routes}], no_advertise: true }`;
      const folder = shared.folder === undefined ? {} : { folder: join(shared.folder, `nats-${index + 1}`) };
      const config = [shared.config ?? "", cluster].join("\n");
      return natsRecipe({ ...shared, ...folder, ...(port !== undefined && { port }), config }, `waybill-${index + 1}`);
    }),
  );
}

/** Resolves when every one is in contact with the leader of all streams. */
export async function natsClusterAgrees(recipes: readonly NatsRecipe[]): Promise<void> {
  const isHealthy = async ({ monitor }: NatsRecipe) => {
    const answer = await fetch(`${monitor}/healthz`).catch(() => undefined);
    return answer?.ok === true;
  };
  const agree = async () => (await Promise.all(recipes.map(isHealthy))).every(Boolean);
  if (!(await becomes(agree, 60_000))) throw new Error("The three NATS servers chose no leader within 60 s.");
}

export async function natsRecipe(options: NatsOptions = {}, serverName = "waybill"): Promise<NatsRecipe> {
  const program = await natsServer();
  const port = options.port ?? (await freePort());
  const monitorPort = await freePort();
  const home = homeFor("nats", options);
  const { tls = false } = options;
  const certificates = tls === false ? undefined : await makeCertificates(join(home.folder, "certificates"));
  const settings = join(home.folder, "nats.conf");
  writeFileSync(settings, settingsOf(options, { serverName, port, monitorPort, home, certificates }));
  return {
    name: "NATS",
    url: `nats://127.0.0.1:${port}`,
    monitor: `http://127.0.0.1:${monitorPort}`,
    port,
    home,
    certificates,
    command: { program, args: ["-c", settings] },
    ready: "Server is ready",
    stopSignal: "SIGTERM",
  };
}

interface Place {
  readonly serverName: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly home: Home;
  readonly certificates: Certificates | undefined;
}

function settingsOf(options: NatsOptions, { serverName, port, monitorPort, home, certificates }: Place): string {
  const { syncInterval = "always", maxPayloadBytes, user, token } = options;
  const said = JSON.stringify;
  const lines = [
    `server_name: ${serverName}`,
    `listen: "127.0.0.1:${port}"`,
    `http: "127.0.0.1:${monitorPort}"`,
    // In quotes: without them 2m is two million seconds.
    `jetstream { store_dir: ${said(join(home.folder, "data"))}, sync_interval: ${said(syncInterval)} }`,
  ];
  if (maxPayloadBytes !== undefined) lines.push(`max_payload: ${maxPayloadBytes}`);
  if (user !== undefined) lines.push(`authorization { user: ${said(user.name)}, password: ${said(user.password)} }`);
  if (token !== undefined) lines.push(`authorization { token: ${said(token)} }`);
  if (certificates !== undefined) {
    const { ca, serverCertificate, serverKey } = certificates;
    const files = `cert_file: ${said(serverCertificate)}, key_file: ${said(serverKey)}, ca_file: ${said(ca)}`;
    lines.push(`tls { ${files}, verify: ${options.tls === "mutual"} }`);
  }
  return [...lines, options.config ?? "", ""].join("\n");
}
