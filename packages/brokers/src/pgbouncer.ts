import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./ports.ts";
import { pgBouncer } from "./programs.ts";
import { homeFor, serve } from "./serve.ts";
import type { Server, ServerOptions } from "./server.ts";
import { unprivileged } from "./user.ts";

export interface PgBouncerOptions extends ServerOptions {
  /** Settings of the section [pgbouncer], in addition to our own or in their place. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** PgBouncer before a PostgreSQL, in transaction mode: a connection of the database is a client's for a transaction. */
export async function startPgBouncer(postgres: Pick<Server, "url">, options: PgBouncerOptions = {}): Promise<Server> {
  const program = pgBouncer();
  const port = options.port ?? (await freePort());
  const identity = unprivileged();
  const home = homeFor("pgbouncer", options, identity);
  const target = new URL(postgres.url);
  const settings = join(home.folder, "pgbouncer.ini");
  writeFileSync(settings, settingsOf(target, port, options), { mode: 0o644 });
  return await serve({
    name: "PgBouncer",
    url: `postgres://${target.username}@127.0.0.1:${port}${target.pathname}`,
    port,
    home,
    command: { program, args: [settings], identity },
    ready: "process up",
    // At once: the other signals wait for clients to leave, and what they mean changed with version 1.23.
    stopSignal: "SIGQUIT",
  });
}

function settingsOf(target: URL, port: number, { settings }: PgBouncerOptions): string {
  const password =
    target.password === "" ? "" : ` password='${decodeURIComponent(target.password).replaceAll("'", "''")}'`;
  const known = {
    listen_addr: "127.0.0.1",
    listen_port: port,
    unix_socket_dir: "",
    // Whoever comes is let in as the user below.
    auth_type: "any",
    pool_mode: "transaction",
    max_client_conn: 500,
    default_pool_size: 20,
    ignore_startup_parameters: "extra_float_digits",
    ...settings,
  };
  const lines = Object.entries(known).map(([name, value]) => `${name} = ${value}`);
  const database = `* = host=${target.hostname} port=${target.port} user=${target.username}${password}`;
  return ["[databases]", database, "[pgbouncer]", ...lines, ""].join("\n");
}
