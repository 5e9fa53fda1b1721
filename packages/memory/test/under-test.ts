import type { TransportUnderTest } from "@waybill/conformance";
import { memoryTransport, testWorld, type MemoryTransportOptions, type TestWorld } from "@waybill/memory";
import type { Transport } from "@waybill/messaging";

/** Logs in memory, with something around each handle to them, as the suite for transports takes them. */
export function underTest(
  around: (one: Transport, world: TestWorld) => Transport,
  options: Omit<MemoryTransportOptions, "world"> = {},
): TransportUnderTest {
  const world = testWorld();
  const logs = memoryTransport({ world, ...options });
  const transport = around(logs.handle(), world);
  return {
    transport,
    async reopen() {
      await transport[Symbol.asyncDispose]();
      return around(logs.handle(), world);
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
