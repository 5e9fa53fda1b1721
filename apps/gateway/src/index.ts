export { noFaults, type Faults } from "./faults.ts";
export { openGateway, type Gateway, type GatewayOptions } from "./open.ts";
export { testTokens, type Behaviour, type TestToken } from "./tokens.ts";
export { openLedger, type Ledger, type LedgerOptions, type OperationRequest } from "./ledger.ts";
