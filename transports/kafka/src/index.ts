export type { KafkaInspection, KafkaTopicInspection, PartitionSync } from "./inspect.ts";
export { kafkaTransport, type KafkaLogin, type KafkaTransport, type KafkaTransportOptions } from "./transport.ts";
