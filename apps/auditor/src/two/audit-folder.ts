import { Worker } from "node:worker_threads";
import { audit, checkEffects, concluded, isCut, tableFor, type AuditReport } from "../audit.ts";
import { topics } from "@waybill/contracts";
import { Findings } from "../findings.ts";
import { readWaiting } from "../log/log-pass.ts";
import { OrderTable } from "../log/order-table.ts";
import { ProductLog } from "../log/product-log.ts";
import type { GatewayLedger } from "../money/gateway-ledger.ts";
import { openSqliteLedger } from "../money/sqlite-ledger.ts";
import { missingOrders } from "../orders/missing.ts";
import { openSqliteBooks } from "../read/sqlite-books.ts";
import type { Books } from "../books.ts";
import type { FromSecond, SecondSettings, ToSecond } from "./second-thread.ts";
import { logShare, ordersShare, type LogShare, type OrdersShare } from "./share.ts";

export interface AuditFolder {
  readonly folder: string;
  /** The file of the gateway's ledger; undefined when there is none at hand. */
  readonly ledgerFile: string | undefined;
  /** From how many orders on two threads work on it. Default 50,000. */
  readonly twoFrom?: number;
  /** Above so many it takes one thread, and several passes. Default 4,000,000. */
  readonly twoUpTo?: number;
}

/** How often two threads try to see the same moment of a shop at work. */
const triesMax = 200;

/** Audits a data folder and the gateway's ledger beside it; a large one with two threads, each of which reads half. */
export async function auditFolder(options: AuditFolder): Promise<AuditReport> {
  const { folder, ledgerFile, twoFrom = 50_000, twoUpTo = 4_000_000 } = options;
  const open = (): Opened => {
    const ledger = ledgerFile === undefined ? undefined : openSqliteLedger(ledgerFile);
    return { ledger, books: openSqliteBooks(folder) };
  };
  let opened = open();
  try {
    const orders = await opened.books.count("orders", "order");
    if (orders < twoFrom || orders > twoUpTo) return await audit(opened);
    await using second = startSecond({ folder, ledgerFile });
    for (let tries = 0; tries < triesMax; tries++) {
      if ((await second.ask<string>({ kind: "open" })) === opened.books.moment) return await byTwo(opened, second);
      await closed(opened);
      opened = open();
    }
    return await audit(opened);
  } finally {
    await closed(opened);
  }
}

interface Opened {
  readonly ledger: GatewayLedger | undefined;
  readonly books: Books;
}

async function closed({ ledger, books }: Opened): Promise<void> {
  await books[Symbol.asyncDispose]();
  await ledger?.[Symbol.asyncDispose]();
}

async function byTwo({ books, ledger }: Opened, second: Second): Promise<AuditReport> {
  const findings = new Findings();
  const orders = await books.count("orders", "order");
  const options = tableFor(books);
  const [other, own] = await both(second.ask<LogShare>({ kind: "log", orders, options }), () =>
    logShare(books, "orders", orders, options),
  );
  const tables = [own, other].map(({ table }) => new OrderTable(table, options));
  await readWaiting(books, tables[0]!);

  // This thread has the gateway's own books to look at as well.
  const middle = await books.idAt("orders", "order", Math.floor(orders * 0.44));
  const shared = tables.map((table) => table.shared);
  const [upper, lower] = await both(
    second.ask<OrdersShare>({ kind: "orders", tables: shared, options, range: { from: middle } }),
    async () => {
      const share = await ordersShare(books, ledger, tables, { before: middle });
      await checkEffects(books, ledger, findings);
      return share;
    },
  );
  const held = new Map(lower.held);
  for (const [sku, quantity] of upper.held) held.set(sku, (held.get(sku) ?? 0) + quantity);
  for (const { results, kept } of [own, other, lower, upper]) findings.add(results, kept);
  await missingOrders(books, tables, findings);
  const products = new ProductLog(isCut(books, topics.products.name), other.products);
  return concluded({ books, orders, shelves: other.shelves, products, held }, findings);
}

/** What the other thread answers, and what this one does meanwhile. */
async function both<A, B>(asked: Promise<A>, here: () => Promise<B>): Promise<[A, B]> {
  return Promise.all([asked, here()]);
}

interface Second extends AsyncDisposable {
  ask<T>(message: ToSecond): Promise<T>;
}

function startSecond(settings: SecondSettings): Second {
  const worker = new Worker(new URL("second-thread.ts", import.meta.url), {
    workerData: settings,
    // A page of rows and what comes of it; the tables of orders do not count.
    resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 48 },
  });
  return {
    ask<T>(message: ToSecond): Promise<T> {
      return new Promise((resolve, reject) => {
        const done = (answer: FromSecond): void => {
          worker.off("error", reject);
          if (answer.ok) resolve(answer.value as T);
          else reject(new Error(answer.error));
        };
        worker.once("error", reject);
        worker.once("message", done);
        worker.postMessage(message, []);
      });
    },
    [Symbol.asyncDispose]: async () => void (await worker.terminate()),
  };
}
