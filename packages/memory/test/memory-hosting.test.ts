import { testHosting, type HostingUnderTest } from "@waybill/conformance";
import { memoryStore, memoryTransport, testWorld } from "@waybill/memory";

testHosting("memory with logs in its store", async (): Promise<HostingUnderTest> => {
  const world = testWorld();
  const logs = memoryTransport({ world });
  const database = memoryStore({ world, logs });
  const store = database.handle();
  const transport = logs.handle();
  return {
    store,
    transport,
    async crash() {
      store.kill();
      transport.kill();
      return { store: database.handle(), transport: logs.handle() };
    },
    [Symbol.asyncDispose]: () => logs[Symbol.asyncDispose](),
  };
});
