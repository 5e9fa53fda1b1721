import type { KafkaConnection, NatsConnection, PostgresConnection } from "./connections.ts";
import type { Config } from "./effective.ts";
import type { MailConfig } from "./mail.ts";

const mask = "***";

/** The configuration as people and scripts may see it: secrets are masked. */
export function shown({ mail, postgres, nats, kafka, ...config }: Config): Record<string, unknown> {
  const connections = {
    mail: mail && masked(mail),
    postgres: postgres && masked(postgres),
    nats: nats && masked(nats),
    kafka: kafka && masked(kafka),
  };
  // What is undefined is left out, as JSON does.
  return JSON.parse(JSON.stringify({ ...config, ...connections })) as Record<string, unknown>;
}

function masked(
  connection: MailConfig | PostgresConnection | NatsConnection | KafkaConnection,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(connection).map(([name, value]) => [name, maskedValue(name, value)]));
}

function maskedValue(name: string, value: unknown): unknown {
  if (["password", "token", "credentials"].includes(name) && value !== undefined) return mask;
  return /url$/i.test(name) && typeof value === "string" ? withoutPassword(value) : value;
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  if (parsed.password !== "") parsed.password = mask;
  for (const name of parsed.searchParams.keys()) if (/password/i.test(name)) parsed.searchParams.set(name, mask);
  return parsed.href;
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
