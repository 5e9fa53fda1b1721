import type { NodeConnectionOptions } from "@nats-io/transport-node";
import { credsAuthenticator } from "@nats-io/transport-node";

/** How servers of NATS are reached, and how topics are kept there. */
export interface NatsTransportOptions {
  /**
   * URLs of servers of one cluster, any of which will do: `nats://host:4222`, in a list or with commas between. A name and
   * password, or a token, may stand before the host (`nats://shop:secret@host:4222`) or be given below.
   */
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
  const { servers, name = "waybill", credentials, tls, timeoutMs = natsDefaults.timeoutMs } = options;
  const urls = (typeof servers === "string" ? servers.split(",") : servers).map(urlOf);
  return {
    servers: urls.map(({ host }) => host),
    name,
    timeout: timeoutMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    pingInterval: 10_000,
    maxPingOut: 2,
    noAsyncTraces: true,
    ignoreAuthErrorAbort: true,
    ...identity(options, urls[0]),
    ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) }),
    ...(tls === undefined ? {} : { tls: { ...tls } }),
  };
}

interface Address {
  /** Host and port. */
  readonly host: string;
  readonly user: string;
  readonly password: string;
}

function urlOf(server: string): Address {
  const text = server.trim();
  const { host, username, password } = new URL(text.includes("://") ? text : `nats://${text}`);
  return { host, user: decodeURIComponent(username), password: decodeURIComponent(password) };
}

/** Who we say that we are: what the options say, else what stands in the first URL. A name alone there is a token. */
function identity(options: NatsTransportOptions, url: Address | undefined): NodeConnectionOptions {
  const { user, password, token } = options;
  if (token !== undefined) return { token };
  if (user !== undefined) return { user, ...(password === undefined ? {} : { pass: password }) };
  if (url === undefined || url.user === "") return {};
  return url.password === "" ? { token: url.user } : { user: url.user, pass: url.password };
}
