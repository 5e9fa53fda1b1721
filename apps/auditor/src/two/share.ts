import { topics } from "@waybill/contracts";
import { handles, ledgersOf } from "../audit.ts";
import type { Books, IdRange } from "../books.ts";
import { Findings, type LawResult } from "../findings.ts";
import type { Breach } from "../laws.ts";
import { readLists } from "../log/listing.ts";
import { readLog } from "../log/log-pass.ts";
import { OrderTable, type TableOptions } from "../log/order-table.ts";
import type { ProductChanges } from "../log/product-log.ts";
import type { Shelf } from "../log/stock-ledger.ts";
import type { GatewayLedger } from "../money/gateway-ledger.ts";
import { readOrders } from "../orders/order-pass.ts";

/** Who reads what. Movements of stock, whose bodies are read, the lists, and what is small take as long as orders and their money. */
export type Half = "orders" | "rest";

const toldOfOrders: ReadonlySet<string> = new Set([topics.orders.name, topics.payments.name]);

/** What one thread has read of the log; all of it can be handed to another. */
export interface LogShare {
  readonly results: readonly LawResult[];
  readonly kept: readonly Breach[];
  readonly table: SharedArrayBuffer;
  readonly shelves: ReadonlyMap<string, Shelf>;
  readonly products: ProductChanges;
}

export interface OrdersShare {
  readonly results: readonly LawResult[];
  readonly kept: readonly Breach[];
  readonly held: ReadonlyMap<string, number>;
}

/** Reads one half of the log. */
export async function logShare(books: Books, half: Half, orders: number, options: TableOptions): Promise<LogShare> {
  const findings = new Findings();
  const table = new OrderTable(orders, options);
  const rest = ledgersOf(books);
  const isWanted = (name: string) => toldOfOrders.has(name) === (half === "orders");
  await readLog(books, { orders: table, rest }, handles, findings, isWanted);
  if (half === "rest" && table.hasLists) await readLists(books, table);
  return {
    results: findings.results(),
    kept: findings.kept,
    table: table.shared,
    shelves: rest.stock.shelves,
    products: rest.products.changes,
  };
}

/** Checks the orders of one range against what both halves of the log tell of them. */
export async function ordersShare(
  books: Books,
  ledger: GatewayLedger | undefined,
  tables: readonly OrderTable[],
  range: IdRange,
): Promise<OrdersShare> {
  const findings = new Findings();
  const held = new Map<string, number>();
  await readOrders(books, ledger, tables, held, findings, range);
  return { results: findings.results(), kept: findings.kept, held };
}
