import { brokers } from "./server/deployment.ts";
import { testOrderLife } from "./server/order-life.ts";

testOrderLife("NATS and PostgreSQL", () => brokers("nats"));
testOrderLife("Kafka and PostgreSQL", () => brokers("kafka"));
testOrderLife("NATS, Kafka and PostgreSQL", () => brokers("hybrid"));
