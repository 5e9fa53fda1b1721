import { startNats } from "@waybill/brokers";
import { testTransport } from "@waybill/conformance";
import { afterAll, beforeAll } from "vitest";
import { underTest } from "./under-test.ts";

// One of its own: the cases have the same topics, and some stop it.
let server: Awaited<ReturnType<typeof startNats>>;

beforeAll(async () => {
  server = await startNats();
});

afterAll(() => server[Symbol.asyncDispose]());

testTransport("nats", () => underTest(server));
