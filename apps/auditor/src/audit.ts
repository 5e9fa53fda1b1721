import { topics } from "@waybill/contracts";
import { fulfilment } from "@waybill/fulfilment";
import { inventory } from "@waybill/inventory";
import { listing } from "@waybill/listing";
import { notifications } from "@waybill/notifications";
import { orders } from "@waybill/orders";
import { payments } from "@waybill/payments";
import type { Books } from "./books.ts";
import { Findings, type LawResult } from "./findings.ts";
import type { Breach } from "./laws.ts";
import { keepsLists, readLists } from "./log/listing.ts";
import { readLog, readWaiting, type Handles } from "./log/log-pass.ts";
import { OrderTable } from "./log/order-table.ts";
import { ProductLog } from "./log/product-log.ts";
import { StockLedger, type Shelf } from "./log/stock-ledger.ts";
import { missingOrders } from "./orders/missing.ts";
import { readOrders } from "./orders/order-pass.ts";
import type { GatewayLedger } from "./money/gateway-ledger.ts";
import { checkStock } from "./stock-check.ts";

export interface AuditOptions {
  readonly books: Books;
  /** Opened before the books, so that the shop knows of everything in it; undefined when there is none at hand. */
  readonly ledger: GatewayLedger | undefined;
  /** Orders that are looked at in one pass over the log; more take more passes and no more memory. */
  readonly ordersPerPass?: number;
}

export interface AuditReport {
  readonly balanced: boolean;
  readonly orders: number;
  readonly laws: readonly LawResult[];
  /** The first breaches of each law; `laws` counts all. */
  readonly breaches: readonly Breach[];
}

const ordersPerPassDefault = 4_000_000;

/** Message types by the service that handles them. */
export const handles: Handles = new Map(
  [orders(), inventory(), payments(), fulfilment(), notifications(), listing()].map(({ name, rules }) => [
    name,
    new Set(rules.flatMap(({ on }) => (on.kind === "message" ? [on.type.name] : []))),
  ]),
);

/** Checks all nine laws over everything that is stored. Takes about 50 MB, and 25 more for each million orders. */
export async function audit(options: AuditOptions): Promise<AuditReport> {
  const { books, ledger, ordersPerPass = ordersPerPassDefault } = options;
  const findings = new Findings();
  const orders = await books.count("orders", "order");
  const passes = Math.max(1, Math.ceil(orders / ordersPerPass));
  const { stock, products } = ledgersOf(books);
  const held = new Map<string, number>();
  for (let pass = 0; pass < passes; pass++) {
    const table = new OrderTable(orders, { pass, passes, ...tableFor(books) });
    await readLog(books, { orders: table, rest: pass === 0 ? { stock, products } : undefined }, handles, findings);
    await readWaiting(books, table);
    if (table.hasLists) await readLists(books, table);
    await readOrders(books, ledger, [table], held, findings);
    await missingOrders(books, [table], findings);
  }
  await checkEffects(books, ledger, findings);
  return concluded({ books, orders, shelves: stock.shelves, products, held }, findings);
}

/** What a table of these books' orders must know: up to when retention may have let messages go, and whether there are lists. */
export function tableFor(books: Books): { readonly cutMs: number; readonly hasLists: boolean } {
  const cutMs = Math.max(...books.topics.map((topic) => topic.cutMs ?? -Infinity));
  return { cutMs, hasLists: keepsLists(books) };
}

/** Whether retention has let messages of a topic go. */
export function isCut({ topics: all }: Books, name: string): boolean {
  return all.some((topic) => topic.name === name && topic.isCut);
}

/** Whether a topic's partitions are read in the order in which their messages were said. */
function isExact({ topics: all }: Books, name: string): boolean {
  return all.every((topic) => topic.name !== name || topic.isExact);
}

export function ledgersOf(books: Books): { readonly stock: StockLedger; readonly products: ProductLog } {
  return {
    stock: new StockLedger(isCut(books, topics.stock.name), isExact(books, topics.stock.name)),
    products: new ProductLog(isCut(books, topics.products.name)),
  };
}

/** What is known once the log and all orders have been gone through. */
export interface Gathered {
  readonly books: Books;
  readonly orders: number;
  readonly shelves: ReadonlyMap<string, Shelf>;
  readonly products: ProductLog;
  readonly held: ReadonlyMap<string, number>;
}

/** Checks what needs the whole, and draws the report up. */
export async function concluded(gathered: Gathered, findings: Findings): Promise<AuditReport> {
  const { books, orders, shelves, products, held } = gathered;
  await checkStock(books, shelves, held, isCut(books, topics.stock.name), findings);
  await products.compare(books, findings);
  checkLanes(books, findings);
  const laws = findings.results();
  return { balanced: laws.every(({ breaches }) => breaches === 0), orders, laws, breaches: findings.kept };
}

/** Law 2 over all effects at once, and of law 7 that the gateway's own books are right. */
export async function checkEffects(books: Books, ledger: GatewayLedger | undefined, findings: Findings): Promise<void> {
  const remedy = "Give back at the gateway what was done twice.";
  for (const { id, count } of await books.sharedEffectIds()) {
    const what = `${count} calls to the outside share the id ${id}.`;
    findings.breach({
      law: 2,
      what,
      where: `effect ${id}`,
      sinceMs: undefined,
      remedy: "Stop the shop and look at both.",
    });
  }
  if (ledger === undefined) {
    for (const law of [2, 7] as const) findings.notChecked(law, "the gateway's ledger is not at hand");
    return;
  }
  for (const finding of await ledger.repeatedKeys()) findings.breach({ law: 2, ...finding, remedy });
  for (const finding of await ledger.imbalances()) {
    findings.breach({ law: 7, ...finding, remedy: "Ask the gateway: its own books do not agree with themselves." });
  }
}

/** Law 8: what a stopped lane should take has no next step, whatever waits in the log. */
function checkLanes({ lanes }: Books, findings: Findings): void {
  for (const { service, lane, stopped, timeMs } of lanes) {
    if (stopped === undefined) continue;
    findings.breach({
      law: 8,
      what: `Lane ${service}/${lane} has stopped: ${stopped}`,
      where: `${service}/${lane}`,
      sinceMs: timeMs,
      remedy: "Do what its error says, and let it run again.",
    });
  }
}
