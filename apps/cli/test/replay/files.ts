import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InvoiceLine } from "../../src/replay/lines.ts";

export const header = "line_no,invoice_no,stock_code,description,quantity,invoice_ts,unit_price,customer_id,country";

/** Writes a file into a folder of its own, runs the body with its path, and removes both. */
export async function withFile<T>(content: string | Uint8Array, body: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-replay-"));
  try {
    const file = join(folder, "shop.csv");
    await writeFile(file, content);
    return await body(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Rows as `invoice, sku, quantity, minute, price, customer?, description?` under the header, numbered from 1. */
export type Row = readonly [string, string, number, number, string, string?, string?];

export function csv(rows: readonly Row[]): string {
  const lines = rows.map(
    ([invoice, sku, quantity, minute, price, customer = "17850", description = "A THING"], index) =>
      [index + 1, invoice, sku, description, quantity, timeAt(minute), price, customer, "EIRE"].join(","),
  );
  return `${[header, ...lines].join("\n")}\n`;
}

export function timeAt(minute: number): string {
  return `2010-12-01T08:${String(minute).padStart(2, "0")}`;
}

export function line(over: Partial<InvoiceLine> = {}): InvoiceLine {
  const ts = over.ts ?? timeAt(26);
  return {
    lineNo: 1,
    invoice: "536365",
    sku: "85123A",
    description: "A THING",
    quantity: 6,
    unitPrice: "2.55",
    customerId: "17850",
    country: "EIRE",
    ...over,
    ts,
    atMs: Date.parse(`${ts}:00Z`),
  };
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
