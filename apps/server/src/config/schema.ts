import { type } from "arktype";

const file = type("string > 0").describe("a path");
const secret = type("string > 0").describe("a text");
const days = type("number > 0").describe("a number of days above 0");
const mebibytes = type("number > 0").describe("a number of MiB above 0");
const milliseconds = type("number.integer >= 0").describe("a whole number of milliseconds");
const text = type("string > 0").describe("a text");

/** How a connection is kept from strangers: files of PEM. */
const tls = type({
  "+": "reject",
  "enabled?": "boolean",
  "caFile?": file,
  "certFile?": file,
  "keyFile?": file,
});

const broker = type("'nats' | 'kafka'").describe('"nats" or "kafka"');

const topicSettings = type({
  "+": "reject",
  "broker?": broker,
  "retentionDays?": days,
  "retentionMib?": mebibytes,
  "replicas?": type("1 <= number.integer <= 99").describe("a whole number from 1 to 99"),
  "storage?": type("'file' | 'memory'").describe('"file" or "memory"'),
  "compression?": type("'none' | 'zstd' | 'lz4'").describe('"none", "zstd" or "lz4"'),
});

const serviceSettings = type({
  "+": "reject",
  "lanes?": type("1 <= number.integer <= 1024").describe("a whole number of at least 1"),
});

const mirror = type({
  "+": "reject",
  topic: text,
  to: broker,
  "retentionDays?": days,
  "retentionMib?": mebibytes,
  "replicas?": type("1 <= number.integer <= 99").describe("a whole number from 1 to 99"),
  "compression?": type("'none' | 'zstd' | 'lz4'").describe('"none", "zstd" or "lz4"'),
});

/** What waybill.config.ts may say; whatever it leaves out is taken from the environment or has a default. */
export const configSchema = type({
  "+": "reject",
  "engine?": type("'embedded' | 'nats' | 'kafka' | 'hybrid'").describe('"embedded", "nats", "kafka" or "hybrid"'),
  "store?": type("'sqlite' | 'postgres'").describe('"sqlite" or "postgres"'),
  "data?": file,
  "http?": {
    "+": "reject",
    "host?": text,
    "port?": type("0 <= number.integer <= 65535").describe("a whole number from 0 to 65535"),
  },
  "shop?": {
    "+": "reject",
    "dispatchAfterMs?": milliseconds,
    "paymentDeadlineMs?": milliseconds,
    "gatewayKeyTtlMs?": milliseconds,
    "gatewayTimeoutMs?": type("100 <= number.integer <= 25000").describe(
      "a whole number of milliseconds from 100 to 25000",
    ),
    "gatewayConnectionsMax?": type("1 <= number.integer <= 1000").describe("a whole number from 1 to 1000"),
    "gatewayUrl?": type("string.url").describe("an address such as http://127.0.0.1:8081"),
  },
  "mail?": {
    "+": "reject",
    "url?": text,
    "user?": text,
    "password?": secret,
    "from?": text,
    "tls?": type("'required' | 'none'").describe('"required" or "none"'),
    "caFile?": file,
    "connectionsMax?": type("1 <= number.integer <= 100").describe("a whole number from 1 to 100"),
  },
  "postgres?": {
    "+": "reject",
    "url?": text,
    "password?": secret,
    "schema?": text,
    "connectionsMax?": type("2 <= number.integer <= 1000").describe("a whole number from 2 to 1000"),
    "listenUrl?": text,
  },
  "nats?": {
    "+": "reject",
    "url?": text,
    "user?": text,
    "password?": secret,
    "token?": secret,
    "credentialsFile?": file,
    "tls?": tls,
  },
  "kafka?": {
    "+": "reject",
    "url?": text,
    "user?": text,
    "password?": secret,
    "mechanism?": type("'SCRAM-SHA-256' | 'SCRAM-SHA-512'").describe('"SCRAM-SHA-512" or "SCRAM-SHA-256"'),
    "tls?": tls,
  },
  "topics?": { "[string]": topicSettings },
  "services?": { "[string]": serviceSettings },
  "mirrors?": mirror.array(),
});

/** A deployment of the shop as its file says it. */
export type WaybillConfig = typeof configSchema.infer;
export type EngineName = NonNullable<WaybillConfig["engine"]>;
export type BrokerName = typeof broker.infer;
export type TopicSettings = typeof topicSettings.infer;
export type TlsSettings = typeof tls.infer;

/** Returns its argument; an editor that reads waybill.config.ts knows every setting by it. */
export function defineConfig(config: WaybillConfig): WaybillConfig {
  return config;
}
