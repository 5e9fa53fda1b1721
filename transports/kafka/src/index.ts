export { kafkaTransport, type KafkaLogin, type KafkaTransport, type KafkaTransportOptions } from "./transport.ts";
