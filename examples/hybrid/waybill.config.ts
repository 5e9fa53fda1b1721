import { defineConfig } from "@waybill/server";

// URLs and secrets come from the environment: WAYBILL_POSTGRES_URL, WAYBILL_NATS_URL, WAYBILL_KAFKA_URL.
export default defineConfig({
  engine: "hybrid",
  topics: {
    "*": { retentionDays: 30 },
    // What the shop's services tell each other under load.
    orders: { broker: "nats" },
    stock: { broker: "nats" },
    payments: { broker: "nats" },
    // What other systems follow as well.
    products: { broker: "kafka", compression: "zstd" },
    shipments: { broker: "kafka", compression: "zstd" },
  },
  // The record of all events: those that live on NATS are copied to Kafka, in order and once.
  mirrors: [
    { topic: "orders", to: "kafka", compression: "zstd" },
    { topic: "stock", to: "kafka", compression: "zstd" },
    { topic: "payments", to: "kafka", compression: "zstd" },
  ],
  services: {
    payments: { lanes: 8 },
  },
});
