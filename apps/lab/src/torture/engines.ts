import { audit, openSqliteBooks, openSqliteLedger, type AuditReport, type Books } from "@waybill/auditor";
import { join } from "node:path";
import { onBroker } from "./broker-engines.ts";
import type { Fault } from "./faults.ts";

/** What a shop under torture runs on. */
export interface TortureEngine extends AsyncDisposable {
  readonly name: string;
  /** How many of the shop's processes run side by side. */
  readonly processes: number;
  /** Faults of its own: of its brokers, its database. */
  readonly faults: readonly Fault[];
  /** The part of the command line of `waybill start` that chooses it, and what it needs in the environment. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Audits the shop, and hands its books to whoever wants to look at them as well. */
  audit(look?: (books: Books) => Promise<void>): Promise<AuditReport>;
}

export type OpenEngine = (data: string) => Promise<TortureEngine>;

/** One process, one file. */
const embedded: OpenEngine = async (data) => ({
  name: "embedded",
  processes: 1,
  faults: [],
  args: [],
  env: {},
  async audit(look) {
    await using ledger = openSqliteLedger(join(data, "gateway", "gateway.sqlite"));
    await using books = openSqliteBooks(data);
    const report = await audit({ books, ledger });
    await look?.(books);
    return report;
  },
  [Symbol.asyncDispose]: async () => {},
});

export const engines: ReadonlyMap<string, OpenEngine> = new Map([
  ["embedded", embedded],
  ["nats", onBroker("nats")],
  ["kafka", onBroker("kafka")],
]);
