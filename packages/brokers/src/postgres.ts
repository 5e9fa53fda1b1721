import { execFile } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeCertificates } from "./certificates.ts";
import { freePort } from "./ports.ts";
import { postgresPrograms } from "./programs.ts";
import { homeFor, serve, type Recipe } from "./serve.ts";
import type { Certificates, Server, ServerOptions } from "./server.ts";
import { unprivileged, type Identity } from "./user.ts";

const run = promisify(execFile);

export interface PostgresOptions extends ServerOptions {
  /** Of the user waybill, by SCRAM. Left out: everyone on this machine may come in. */
  readonly password?: string;
  /** true: connections speak TLS, and those that do not are refused. */
  readonly tls?: boolean;
  /** Settings of postgresql.conf, in addition to our own or in their place. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

/** PostgreSQL with a superuser waybill and its database postgres; what it acknowledges is on the disk. */
export async function startPostgres(options: PostgresOptions = {}): Promise<Server> {
  return await serve(await postgresRecipe(options));
}

export async function postgresRecipe(options: PostgresOptions = {}): Promise<Recipe> {
  const programs = await postgresPrograms();
  const port = options.port ?? (await freePort());
  const identity = unprivileged();
  const home = homeFor("postgres", options, identity);
  const { tls = false, password } = options;
  const certificates = tls ? await makeCertificates(join(home.folder, "certificates"), identity) : undefined;
  const data = join(home.folder, "data");
  if (!existsSync(join(data, "PG_VERSION"))) await makeDatabases(programs, home.folder, data, password, identity);
  // Written by root they could not be read: they hold no secret, and the folder above is the owner's alone.
  const settings = join(home.folder, "postgresql.conf");
  writeFileSync(settings, settingsOf(port, options, certificates), { mode: 0o644 });
  const access = join(home.folder, "pg_hba.conf");
  const method = password === undefined ? "trust" : "scram-sha-256";
  const host = tls ? "hostssl" : "host";
  writeFileSync(access, `${host} all all 127.0.0.1/32 ${method}\n${host} replication all 127.0.0.1/32 ${method}\n`);
  const files = [`config_file=${settings}`, `hba_file=${access}`].flatMap((one) => ["-c", one]);
  const secret = password === undefined ? "" : `:${encodeURIComponent(password)}`;
  return {
    name: "PostgreSQL",
    url: `postgres://waybill${secret}@127.0.0.1:${port}/postgres`,
    port,
    home,
    certificates,
    command: { program: join(programs, "postgres"), args: ["-D", data, ...files], identity },
    ready: "database system is ready to accept connections",
    // "Fast": connections are ended and open transactions are rolled back; the default waits for clients to leave.
    stopSignal: "SIGINT",
  };
}

async function makeDatabases(
  programs: string,
  folder: string,
  data: string,
  password: string | undefined,
  identity: Identity | undefined,
): Promise<void> {
  const secret = join(folder, "password");
  const options = ["-D", data, "-U", "waybill", "--encoding=UTF8", "--locale=C", "--no-sync", "--auth=scram-sha-256"];
  // initdb wants a password for this method; what pg_hba.conf says above decides whether anybody is asked for it.
  writeFileSync(secret, password ?? "waybill", { mode: 0o644 });
  try {
    await run(join(programs, "initdb"), [...options, `--pwfile=${secret}`], { cwd: folder, ...identity });
  } finally {
    rmSync(secret);
  }
}

function settingsOf(port: number, { settings }: PostgresOptions, certificates: Certificates | undefined): string {
  const known: Record<string, string | number | boolean> = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    max_connections: 200,
    fsync: true,
    synchronous_commit: true,
    // Several processes may not find the segment of one that was killed; POSIX memory has no such names to clean up.
    dynamic_shared_memory_type: "posix",
    timezone: "UTC",
    log_timezone: "UTC",
    lc_messages: "C",
  };
  if (certificates !== undefined) {
    known["ssl"] = true;
    known["ssl_ca_file"] = certificates.ca;
    known["ssl_cert_file"] = certificates.serverCertificate;
    known["ssl_key_file"] = certificates.serverKey;
  }
  const quoted = (value: string | number | boolean) => `'${String(value).replaceAll("'", "''")}'`;
  const all = Object.entries({ ...known, ...settings });
  return all.map(([name, value]) => `${name} = ${quoted(value)}\n`).join("");
}
