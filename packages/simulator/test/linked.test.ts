import { testStore, testTransport, type StoreUnderTest, type TransportUnderTest } from "@waybill/conformance";
import { memoryStore } from "@waybill/memory";
import type { Store, Transport } from "@waybill/messaging";
import {
  calm,
  linkedStore,
  linkedTransport,
  Logs,
  Network,
  rolls,
  Scheduler,
  SimulatedProcess,
} from "@waybill/simulator";

/** A way on which nothing takes any time, so that whoever waits for an answer need not let time pass. */
class ImmediateNetwork extends Network {
  override delayMs(): number {
    return 0;
  }

  override hearMs(): number {
    return 0;
  }
}

function world() {
  const scheduler = new Scheduler(1);
  const network = new ImmediateNetwork(scheduler, calm(), rolls(1, "network"));
  const process = (name: string): SimulatedProcess => new SimulatedProcess(name, scheduler, rolls(1, name), () => {});
  return { scheduler, network, process };
}

function transportUnderTest(): TransportUnderTest {
  const { scheduler, network, process } = world();
  const logs = new Logs(1, () => scheduler.nowMs);
  const open = (): Transport => linkedTransport(process("p"), logs, network);
  const transport = open();
  return {
    transport,
    async reopen() {
      await transport[Symbol.asyncDispose]();
      return open();
    },
    recreate: async (topic) => logs.recreate(topic),
    dropBefore: async (topic, partition, offset) => logs.dropBefore(topic, partition, offset),
    loseTail: async (topic, partition, count) => void logs.loseTail(topic, partition, count),
    leaveHole: async (topic, partition) => logs.leaveHole(topic, partition),
    appendUnreadable: async (topic, partition, body) => logs.appendUnreadable(topic, partition, body),
    pass: (ms) => scheduler.run(scheduler.nowMs + ms),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

function storeUnderTest(): StoreUnderTest {
  const { scheduler, network, process } = world();
  const database = memoryStore({ world: process("clock").world });
  let all: { store: ReturnType<typeof database.handle> }[] = [];
  const open = (name: string): Store => {
    const store = database.handle();
    all.push({ store });
    return linkedStore(process(name), store, network);
  };
  return {
    store: open("p"),
    peer: open("q"),
    async crash() {
      for (const { store } of all) store.kill();
      all = [];
      return open("r");
    },
    pass: (ms) => scheduler.run(scheduler.nowMs + ms),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

testTransport("simulated", async () => transportUnderTest());
testStore("simulated", async () => storeUnderTest());
