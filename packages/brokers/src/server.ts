/** A real server on 127.0.0.1 that this process started, and that ends with it. */
export interface Server extends AsyncDisposable {
  /** nats://127.0.0.1:PORT, 127.0.0.1:PORT (Kafka's bootstrap) or postgres://waybill@127.0.0.1:PORT/postgres. */
  readonly url: string;
  readonly port: number;
  /** Of the server itself (for PostgreSQL the postmaster); it changes with each start. */
  readonly pid: number;
  /** Its settings, data and log. Removed when the server is disposed of, unless the caller named it. */
  readonly folder: string;
  /** What it has said since the folder was made. */
  readonly log: string;
  /** The certificates that it made for itself; undefined without TLS. */
  readonly certificates: Certificates | undefined;
  /** SIGKILL to it and its children, as when the machine's power fails; resolves when all of them are gone. */
  kill(): Promise<void>;
  /** A clean stop; one that takes longer than 20 s is an error, after the server was killed. */
  stop(): Promise<void>;
  /** Again, on the same port and with the same data; resolves when it takes connections. */
  start(): Promise<void>;
  /** SIGSTOP to it and its children: connections stay open and nothing answers. */
  pause(): void;
  /** SIGCONT: it goes on where it was. */
  resume(): void;
}

/** What every server may be told. */
export interface ServerOptions {
  /** Where its data stays after it is disposed of. Left out: a temporary folder that is removed. */
  readonly folder?: string;
  /** Left out: a free one below the range that systems give to outgoing connections. */
  readonly port?: number;
}

/** Servers that know of each other. Disposing of it disposes of all. */
export interface Cluster extends AsyncDisposable {
  readonly servers: readonly Server[];
  /** The URLs of all, with commas between. */
  readonly url: string;
}

/** Paths of PEM files. All are signed by `ca`, hold for 127.0.0.1 and localhost, and end after 30 days. */
export interface Certificates {
  readonly ca: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  /** For clients of a server that asks for a certificate; its common name is "waybill". */
  readonly clientCertificate: string;
  readonly clientKey: string;
}

export function clusterOf(servers: readonly Server[]): Cluster {
  return {
    servers,
    url: servers.map(({ url }) => url).join(","),
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}
