import { startKafka, type Server } from "@waybill/brokers";
import { testTransport } from "@waybill/conformance";
import { afterAll, beforeAll } from "vitest";
import { underTest } from "./under-test.ts";

let server: Server;

beforeAll(async () => {
  server = await startKafka();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

testTransport("kafka", async () => await underTest(server));
