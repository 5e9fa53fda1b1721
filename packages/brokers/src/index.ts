export { goExample, kafkaConsoleConsumer, natsCli, pythonExample, type Tool } from "./clients.ts";
export { startKafka, startKafkaCluster, type KafkaClusterOptions, type KafkaOptions } from "./kafka.ts";
export { startNats, startNatsCluster, type NatsClusterOptions, type NatsOptions } from "./nats.ts";
export { startPgBouncer, type PgBouncerOptions } from "./pgbouncer.ts";
export { freePort } from "./ports.ts";
export { startPostgres, type PostgresOptions } from "./postgres.ts";
export { startProxy, type Proxy, type Target } from "./proxy.ts";
export type { Certificates, Cluster, Server, ServerOptions } from "./server.ts";
export { sharedKafka, sharedNats, sharedPostgres } from "./shared.ts";
