import { startKafka, type Server } from "@waybill/brokers";
import { kafkaTransport, type KafkaLogin, type KafkaTransportOptions } from "@waybill/transport-kafka";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { batchOf, readTopic, rejection, untilStored } from "./steps.ts";

let server: Server;

beforeAll(async () => {
  server = await startKafka({ user: { name: "shop", password: "correct horse" }, tls: "mutual" });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function optionsFor(mechanism: KafkaLogin["mechanism"], password: string): KafkaTransportOptions {
  const text = (path: string): string => readFileSync(path, "utf8");
  const { ca, clientCertificate, clientKey } = server.certificates!;
  return {
    bootstrap: server.url,
    sasl: { mechanism, username: "shop", password },
    tls: { ca: text(ca), cert: text(clientCertificate), key: text(clientKey) },
  };
}

for (const mechanism of ["SCRAM-SHA-256", "SCRAM-SHA-512"] as const) {
  test(`messages are stored and read over TLS by one who logs in with ${mechanism}`, async () => {
    await using transport = await kafkaTransport(optionsFor(mechanism, "correct horse"));
    const name = `secure-${mechanism}`;
    await transport.declare({ name, partitions: 2, bytesMax: 100_000 });
    await untilStored(transport, [batchOf(name, 0, 1, 5), batchOf(name, 1, 1, 5)]);
    expect(await readTopic(transport, name, 2)).toHaveLength(10);
  });
}

test("a wrong password is refused with the reason, and not shown", async () => {
  const error = await rejection(kafkaTransport(optionsFor("SCRAM-SHA-512", "wrong horse")));
  expect(error.code).toBe("TRANSPORT_UNAVAILABLE");
  expect(error.message).toMatch(/authentication/i);
  expect(JSON.stringify(error) + error.message).not.toContain("wrong horse");
});

test("a client without TLS is refused with the reason", async () => {
  const error = await rejection(kafkaTransport({ bootstrap: server.url }));
  expect(error.code).toBe("TRANSPORT_UNAVAILABLE");
  expect(error.message).toContain("TLS");
});
