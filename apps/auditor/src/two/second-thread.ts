// The second of two threads that audit a data folder together.
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "@waybill/messaging";
import type { Books, IdRange } from "../books.ts";
import { OrderTable, type TableOptions } from "../log/order-table.ts";
import type { GatewayLedger } from "../money/gateway-ledger.ts";
import { openSqliteLedger } from "../money/sqlite-ledger.ts";
import { openSqliteBooks } from "../read/sqlite-books.ts";
import { logShare, ordersShare } from "./share.ts";

export interface SecondSettings {
  readonly folder: string;
  readonly ledgerFile: string | undefined;
}

export type ToSecond =
  | { readonly kind: "open" }
  | { readonly kind: "log"; readonly orders: number; readonly options: TableOptions }
  | {
      readonly kind: "orders";
      readonly tables: readonly SharedArrayBuffer[];
      readonly options: TableOptions;
      readonly range: IdRange;
    };

export type FromSecond =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string };

const { folder, ledgerFile } = workerData as SecondSettings;
const port = parentPort!;
let ledger: GatewayLedger | undefined;
let books: Books | undefined;

async function answer(message: ToSecond): Promise<unknown> {
  switch (message.kind) {
    case "open":
      await books?.[Symbol.asyncDispose]();
      await ledger?.[Symbol.asyncDispose]();
      // In the same order as everywhere: the gateway first.
      ledger = ledgerFile === undefined ? undefined : openSqliteLedger(ledgerFile);
      books = openSqliteBooks(folder);
      return books.moment;
    case "log":
      return logShare(books!, "rest", message.orders, message.options);
    default: {
      const tables = message.tables.map((shared) => new OrderTable(shared, message.options));
      return ordersShare(books!, ledger, tables, message.range);
    }
  }
}

port.on("message", (message: ToSecond) => {
  answer(message).then(
    (value) => port.postMessage({ ok: true, value } satisfies FromSecond),
    (error: unknown) => port.postMessage({ ok: false, error: messageOf(error) } satisfies FromSecond),
  );
});
