export {
  memoryStore,
  type MemoryStore,
  type MemoryStoreOptions,
  type Snapshot,
  type StoreHandle,
} from "./memory-store.ts";
export {
  memoryTransport,
  type MemoryTransport,
  type MemoryTransportOptions,
  type TransportHandle,
} from "./memory-transport.ts";
export { dice, testWorld, type LogLine, type TestWorld } from "./test-world.ts";
export { memorySpool } from "./memory-spool.ts";
