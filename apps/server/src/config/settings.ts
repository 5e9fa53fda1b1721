/** One thing that can be set: where the file says it, which variable does, and what holds otherwise. */
export interface Setting {
  /** As in waybill.config.ts, `*` for a name: `topics.*.broker`. */
  readonly path: string;
  readonly env?: string;
  /** How the variable's text is read. Default: as it is. */
  readonly as?: "number" | "boolean";
  readonly isSecret?: true;
  readonly fallback: string;
  readonly text: string;
}

const tlsOf = (name: "nats" | "kafka"): readonly Setting[] => {
  const env = `WAYBILL_${name.toUpperCase()}`;
  return [
    {
      path: `${name}.tls.enabled`,
      env: `${env}_TLS`,
      as: "boolean",
      fallback: "true when one of the files is given",
      text: "Speak TLS. The server's certificate must hold for the name that is connected to.",
    },
    {
      path: `${name}.tls.caFile`,
      env: `${env}_CA_FILE`,
      fallback: "the authorities that Node knows",
      text: "The authority that signed the server's certificate, as PEM.",
    },
    {
      path: `${name}.tls.certFile`,
      env: `${env}_CERT_FILE`,
      fallback: "none",
      text: "A certificate to show to the server, as PEM.",
    },
    { path: `${name}.tls.keyFile`, env: `${env}_KEY_FILE`, fallback: "none", text: "The key of that certificate." },
  ];
};

const copies = (of: "topics.*" | "mirrors[]", what: string): readonly Setting[] => [
  { path: `${of}.retentionDays`, fallback: "for ever", text: `How long ${what} keeps its messages.` },
  { path: `${of}.retentionMib`, fallback: "no bound", text: `Above what size ${what} lets its oldest messages go.` },
  { path: `${of}.replicas`, fallback: "1", text: `How many servers keep each message of ${what}.` },
  {
    path: `${of}.compression`,
    fallback: "none",
    text: `How ${what} is packed: \`none\`, \`zstd\` or \`lz4\` on Kafka; NATS packs in its own way whichever it is.`,
  },
];

/** Every setting, in the order in which people look for them; a test holds this list to the schema. */
export const settings: readonly Setting[] = [
  {
    path: "engine",
    env: "WAYBILL_ENGINE",
    fallback: "embedded",
    text: "What the shop runs on: `embedded` (one file, one process), `nats`, `kafka`, or `hybrid` (both, by topic).",
  },
  {
    path: "store",
    fallback: "by the engine",
    text: "Where services keep their states: `sqlite` with `embedded`, `postgres` with all others.",
  },
  {
    path: "data",
    env: "WAYBILL_DATA",
    fallback: ".waybill",
    text: "The folder of what is kept on this machine: the embedded file, letters, the log, the sandbox's ledger.",
  },
  {
    path: "http.host",
    env: "WAYBILL_LISTEN_HOST",
    fallback: "127.0.0.1",
    text: "The address on which the HTTP interface listens.",
  },
  {
    path: "http.port",
    env: "WAYBILL_LISTEN_PORT",
    as: "number",
    fallback: "4800, or the next that is free",
    text: "The port on which it listens; 0 takes any.",
  },
  {
    path: "shop.dispatchAfterMs",
    fallback: "1000",
    text: "How long after its confirmation an order leaves by itself.",
  },
  {
    path: "shop.paymentDeadlineMs",
    fallback: "900000",
    text: "How long goods are held for an order without its money; the second half counts only once the gateway is there.",
  },
  {
    path: "shop.gatewayUrl",
    env: "WAYBILL_GATEWAY_URL",
    fallback: "a sandbox of its own",
    text: "The payment gateway.",
  },
  {
    path: "shop.gatewayKeyTtlMs",
    env: "WAYBILL_GATEWAY_KEY_TTL_MS",
    as: "number",
    fallback: "86400000",
    text: "How long the gateway remembers an idempotency key. What it does not know of an older attempt in doubt is for a person to find out.",
  },
  {
    path: "shop.gatewayTimeoutMs",
    env: "WAYBILL_GATEWAY_TIMEOUT_MS",
    as: "number",
    fallback: "10000",
    text: "How long a call to the gateway may take; then it is in doubt, and the gateway is asked what became of it.",
  },
  {
    path: "shop.gatewayConnectionsMax",
    env: "WAYBILL_GATEWAY_CONNECTIONS_MAX",
    as: "number",
    fallback: "128",
    text: "How many calls to the gateway a process makes at once. A gateway that takes half a second an answer gives 256 a second through 128.",
  },
  {
    path: "mail.url",
    env: "WAYBILL_MAIL_URL",
    fallback: "none: letters become files in the data folder",
    text: "The server that letters are handed to, as `smtp://user@host:587`, or `smtps://host:465` for TLS from the first byte on.",
  },
  { path: "mail.user", env: "WAYBILL_MAIL_USER", fallback: "the URL's", text: "Who logs in." },
  {
    path: "mail.password",
    env: "WAYBILL_MAIL_PASSWORD",
    isSecret: true,
    fallback: "the URL's",
    text: "The password.",
  },
  {
    path: "mail.from",
    env: "WAYBILL_MAIL_FROM",
    fallback: "none; needed with `mail.url`",
    text: "Whose letters these are, as `Mugs & More <shop@example.org>`. Its domain also ends every `Message-ID`.",
  },
  {
    path: "mail.tls",
    env: "WAYBILL_MAIL_TLS",
    fallback: "required",
    text: "`required`: nothing is said to a server that does not speak TLS. `none`: for a server on this machine or in a network of your own.",
  },
  {
    path: "mail.caFile",
    env: "WAYBILL_MAIL_CA_FILE",
    fallback: "the authorities that Node knows",
    text: "The authority that signed the server's certificate, as PEM.",
  },
  {
    path: "mail.connectionsMax",
    fallback: "4",
    text: "How many connections are open at most, and so how many letters are under way at once.",
  },
  {
    path: "postgres.url",
    env: "WAYBILL_POSTGRES_URL",
    fallback: "none; needed by all engines but `embedded`",
    text: "The database, as `postgres://user@host:5432/name`, with `sslmode` and `sslrootcert` as libpq knows them.",
  },
  {
    path: "postgres.password",
    env: "WAYBILL_POSTGRES_PASSWORD",
    isSecret: true,
    fallback: "the URL's",
    text: "The password.",
  },
  {
    path: "postgres.schema",
    env: "WAYBILL_POSTGRES_SCHEMA",
    fallback: "waybill",
    text: "The schema of the tables; a shop of its own for each.",
  },
  {
    path: "postgres.connectionsMax",
    env: "WAYBILL_POSTGRES_CONNECTIONS",
    as: "number",
    fallback: "8",
    text: "How many connections a process opens for commits and reads; two more are for leases and news.",
  },
  {
    path: "postgres.listenUrl",
    env: "WAYBILL_POSTGRES_LISTEN_URL",
    fallback: "the same",
    text: "Where `url` leads to a pooler: the server itself, to hear at once of lanes that are free.",
  },
  {
    path: "nats.url",
    env: "WAYBILL_NATS_URL",
    fallback: "none; needed by `nats` and `hybrid`",
    text: "The servers, as `nats://host:4222`, with commas between.",
  },
  { path: "nats.user", env: "WAYBILL_NATS_USER", fallback: "nobody", text: "Who logs in." },
  { path: "nats.password", env: "WAYBILL_NATS_PASSWORD", isSecret: true, fallback: "none", text: "The password." },
  {
    path: "nats.token",
    env: "WAYBILL_NATS_TOKEN",
    isSecret: true,
    fallback: "none",
    text: "A token instead of user and password.",
  },
  {
    path: "nats.credentialsFile",
    env: "WAYBILL_NATS_CREDENTIALS_FILE",
    fallback: "none",
    text: "A file of credentials (JWT and key) instead of user and password.",
  },
  ...tlsOf("nats"),
  {
    path: "kafka.url",
    env: "WAYBILL_KAFKA_URL",
    fallback: "none; needed by `kafka` and `hybrid`",
    text: "The brokers to ask first, as `host:9092`, with commas between.",
  },
  { path: "kafka.user", env: "WAYBILL_KAFKA_USER", fallback: "nobody", text: "Who logs in." },
  { path: "kafka.password", env: "WAYBILL_KAFKA_PASSWORD", isSecret: true, fallback: "none", text: "The password." },
  {
    path: "kafka.mechanism",
    env: "WAYBILL_KAFKA_MECHANISM",
    fallback: "SCRAM-SHA-512",
    text: "How a user logs in: `SCRAM-SHA-512` or `SCRAM-SHA-256`.",
  },
  ...tlsOf("kafka"),
  {
    path: "topics.*.broker",
    fallback: "by the engine",
    text: "Where a topic lives, with the engine `hybrid`: `nats` or `kafka`.",
  },
  ...copies("topics.*", "a topic"),
  {
    path: "topics.*.storage",
    fallback: "file",
    text: "Where NATS keeps a topic: on its disk, or (lost when the server ends) in its `memory`.",
  },
  {
    path: "services.*.lanes",
    fallback: "4 on brokers, 1 on `embedded`; never more than the service can have",
    text: "In how many lanes a service works, for its life. More can be shared by more processes.",
  },
  {
    path: "mirrors[].topic",
    fallback: "",
    text: "A topic that is copied, in order, onto the broker where it does not live.",
  },
  { path: "mirrors[].to", fallback: "", text: "The broker that it is copied to: `nats` or `kafka`." },
  ...copies("mirrors[]", "the copy"),
];
