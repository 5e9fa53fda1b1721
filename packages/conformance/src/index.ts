export { faultyStore, type CallFault, type CommitFault, type StoreCall, type StorePlan } from "./faulty-store.ts";
export { faultyTransport, type AppendFault, type TransportPlan } from "./faulty-transport.ts";
export { testHosting, type HostingUnderTest, type OpenHosting } from "./hosting-suite.ts";
export { rolledStorePlan, rolledTransportPlan, type StoreOdds, type TransportOdds } from "./rolled-faults.ts";
export type { OpenStore, StoreUnderTest } from "./store-fixture.ts";
export { testStore } from "./store-suite.ts";
export type { OpenTransport, TransportUnderTest } from "./transport-fixture.ts";
export { testTransport } from "./transport-suite.ts";
export { testSpool, type SpoolUnderTest } from "./spool-suite.ts";
