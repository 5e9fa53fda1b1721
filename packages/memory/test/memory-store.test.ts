import { faultyStore, testStore, type StorePlan, type StoreUnderTest } from "@waybill/conformance";
import { memoryStore, testWorld } from "@waybill/memory";

function underTest(plan: StorePlan): StoreUnderTest {
  const world = testWorld();
  const database = memoryStore({ world });
  const processes = [database.handle(), database.handle()] as const;
  return {
    store: faultyStore(processes[0], plan),
    peer: faultyStore(processes[1], plan),
    async crash() {
      for (const process of processes) process.kill();
      return faultyStore(database.handle(), plan);
    },
    pass: (ms) => world.advance(ms),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

testStore("memory", async () => underTest({}));

testStore("memory behind a slow line", async () => {
  const until = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return underTest({ commit: () => ({ kind: "delay", until }), call: () => ({ kind: "delay", until }) });
});
