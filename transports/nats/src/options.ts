import type { NodeConnectionOptions } from "@nats-io/transport-node";
import { credsAuthenticator } from "@nats-io/transport-node";

export interface NatsTransportOptions {
  /** URLs of servers of one cluster, `nats://host:4222` or `tls://host:4222`; any of them will do. */
  readonly servers: string | readonly string[];
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** The content of a credentials file (`.creds`): a JWT and its seed. */
  readonly credentials?: string | undefined;
  /** Speak TLS, or fail. Paths of PEM files; the system's authorities unless `caFile` is given. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string } | undefined;
  /** The JetStream domain, where the servers have one. */
  readonly domain?: string | undefined;
  /** What `Transport.name` is, and what the connection is called in the server's lists. */
  readonly name?: string | undefined;
  /** How long one answer of a server may take. An append that took longer is unknown, and is to be repeated. */
  readonly timeoutMs?: number | undefined;
  /** What a reader holds ready of one topic, in messages and in bytes. */
  readonly ahead?: { readonly messages?: number; readonly bytes?: number } | undefined;
}

export const natsDefaults = {
  timeoutMs: 5_000,
  aheadMessages: 1_024,
  aheadBytes: 1_048_576,
} as const;

/** The client's settings. It never gives up connecting again: a lane that waits is told each time it asks. */
export function connectionOptions(options: NatsTransportOptions): NodeConnectionOptions {
  const { servers, user, password, token, credentials, tls, name = "waybill", timeoutMs } = options;
  return {
    servers: typeof servers === "string" ? servers.split(",") : [...servers],
    name,
    timeout: timeoutMs ?? natsDefaults.timeoutMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    pingInterval: 10_000,
    maxPingOut: 2,
    noAsyncTraces: true,
    ignoreAuthErrorAbort: true,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
    ...(token === undefined ? {} : { token }),
    ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) }),
    ...(tls === undefined ? {} : { tls: { ...tls } }),
  };
}
