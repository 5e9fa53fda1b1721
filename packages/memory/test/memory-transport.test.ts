import { faultyTransport, testTransport } from "@waybill/conformance";
import { dice } from "@waybill/memory";
import { underTest } from "./under-test.ts";

testTransport("memory", async () => underTest((transport) => transport));

testTransport("memory with holes", async () => {
  const random = dice(7);
  return underTest((transport) => transport, { hole: () => Math.floor(random() * 3) });
});

testTransport("memory behind a slow and unreliable line", async () => {
  const random = dice(11);
  const until = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return underTest((transport) =>
    faultyTransport(transport, {
      append: () => ({ kind: "delay", until }),
      fetch: () => (random() < 0.3 ? { kind: "fail" } : { kind: "delay", until }),
    }),
  );
});
