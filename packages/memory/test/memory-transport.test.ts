import { faultyTransport, testTransport, type TransportUnderTest } from "@waybill/conformance";
import { dice, memoryTransport, testWorld, type MemoryTransportOptions } from "@waybill/memory";
import type { Transport } from "@waybill/messaging";

function underTest(
  options: Omit<MemoryTransportOptions, "world">,
  around: (one: Transport) => Transport,
): TransportUnderTest {
  const world = testWorld();
  const logs = memoryTransport({ world, ...options });
  const transport = around(logs.handle());
  return {
    transport,
    async reopen() {
      await transport[Symbol.asyncDispose]();
      return around(logs.handle());
    },
    recreate: async (topic) => logs.recreate(topic),
    dropBefore: async (topic, partition, offset) => logs.dropBefore(topic, partition, offset),
    loseTail: async (topic, partition, count) => logs.loseTail(topic, partition, count),
    leaveHole: async (topic, partition) => logs.leaveHole(topic, partition),
    appendUnreadable: async (topic, partition, body) => logs.appendUnreadable(topic, partition, body),
    pass: (ms) => world.advance(ms),
    [Symbol.asyncDispose]: () => logs[Symbol.asyncDispose](),
  };
}

testTransport("memory", async () => underTest({}, (transport) => transport));

testTransport("memory with holes", async () => {
  const random = dice(7);
  return underTest({ hole: () => Math.floor(random() * 3) }, (transport) => transport);
});

testTransport("memory behind a slow and unreliable line", async () => {
  const random = dice(11);
  const until = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return underTest({}, (transport) =>
    faultyTransport(transport, {
      append: () => ({ kind: "delay", until }),
      fetch: () => (random() < 0.3 ? { kind: "fail" } : { kind: "delay", until }),
    }),
  );
});
