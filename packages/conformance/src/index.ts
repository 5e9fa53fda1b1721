export { faultyTransport, type AppendFault, type TransportPlan } from "./faulty-transport.ts";
export { testTransport } from "./transport-suite.ts";
export type { OpenTransport, TransportUnderTest } from "./transport-fixture.ts";
