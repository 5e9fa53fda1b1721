export { audit, type AuditOptions, type AuditReport } from "./audit.ts";
export type { Books } from "./books.ts";
export type { LawResult } from "./findings.ts";
export { allLaws, laws, type Breach, type Fix, type Law } from "./laws.ts";
export type { GatewayLedger } from "./money/gateway-ledger.ts";
export { openSqliteLedger } from "./money/sqlite-ledger.ts";
export { openSqliteBooks } from "./read/sqlite-books.ts";
