import type { KafkaConnection, NatsConnection, PostgresConnection, Tls } from "./connections.ts";
import type { Config } from "./effective.ts";

const mask = "***";

/** The configuration as people and scripts may see it: secrets are masked, files of certificates are only named as given. */
export function shown({ postgres, nats, kafka, ...config }: Config): Record<string, unknown> {
  const connections = {
    postgres: postgres && maskedPostgres(postgres),
    nats: nats && masked(nats),
    kafka: kafka && masked(kafka),
  };
  // What is undefined is left out, as JSON does.
  return JSON.parse(JSON.stringify({ ...config, ...connections })) as Record<string, unknown>;
}

function maskedPostgres({ url, ...rest }: PostgresConnection) {
  return { url: withoutPassword(url), ...masked(rest) };
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  if (parsed.password !== "") parsed.password = mask;
  for (const name of parsed.searchParams.keys()) if (/password/i.test(name)) parsed.searchParams.set(name, mask);
  return parsed.href;
}

type Secrets = Partial<Pick<NatsConnection, "password" | "token" | "credentials">> & { readonly tls?: Tls | undefined };

function masked<T extends Secrets | KafkaConnection>(connection: T): T {
  const { tls } = connection;
  const hidden = Object.entries(connection).map(([name, value]) => [name, isSecret(name) && value ? mask : value]);
  const files = tls && Object.fromEntries(Object.entries(tls).map(([name, text]) => [name, text && "given"]));
  return { ...Object.fromEntries(hidden), ...(files === undefined ? {} : { tls: files }) } as T;
}

function isSecret(name: string): boolean {
  return ["password", "token", "credentials"].includes(name);
}

/** The configuration for a terminal: one setting a line, by its path. */
export function shownText(config: Config): string {
  const lines = leaves("", shown(config));
  const width = Math.max(...lines.map(([path]) => path.length));
  return lines.map(([path, value]) => `${path.padEnd(width)}  ${value}`).join("\n");
}

function leaves(path: string, value: unknown): readonly (readonly [string, string])[] {
  if (typeof value !== "object" || value === null) return [[path, String(value)]];
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return [[path, value.join(", ")]];
  return Object.entries(value).flatMap(([name, member]) => {
    const inner = Array.isArray(value) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
    return leaves(inner, member);
  });
}
