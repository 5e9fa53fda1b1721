import { connect } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { sharedKafka, sharedNats, sharedPostgres } from "@waybill/brokers";

test.each([
  ["NATS", sharedNats],
  ["Kafka", sharedKafka],
  ["PostgreSQL", sharedPostgres],
])("%s is one server for all who ask", async (_, shared) => {
  const [first, second] = await Promise.all([shared(), shared()]);
  expect(second).toBe(first);
  const { hostname, port } = new URL(first.includes("://") ? first : `tcp://${first}`);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.destroy();
});
