import { createCatalogue, type Product } from "./catalogue.ts";
import type { Interrupted } from "./invoices.ts";
import { kindOf, type NotPlayedReason } from "./kinds.ts";
import { invoiceLines, type InvoiceLine } from "./lines.ts";
import type { Movement } from "./stock.ts";

/** What one pass over a file tells before anything is played. */
export interface Survey {
  readonly lines: number;
  readonly orders: number;
  readonly saleLines: number;
  readonly adjustments: number;
  readonly notPlayed: Readonly<Partial<Record<NotPlayedReason, number>>>;
  /** Time of the first line, in ms: where the replay's clock begins. 0 for a file without lines. */
  readonly firstAtMs: number;
  readonly firstTs: string;
  readonly lastTs: string;
  readonly interrupted: Interrupted;
  /** Units that each SKU sells, gains and loses. */
  readonly movements: ReadonlyMap<string, Movement>;
  readonly products: readonly Product[];
}

/**
 * Reads the whole file once. Memory grows with the number of invoices and SKUs (about 20 bytes and 1 KiB each), not with
 * lines. Throws as `invoiceLines` does.
 */
export async function survey(file: string): Promise<Survey> {
  const surveyor = createSurveyor();
  for await (const line of invoiceLines(file)) surveyor.take(line);
  return surveyor.result();
}

export function createSurveyor(): { take(line: InvoiceLine): void; result(): Survey } {
  const catalogue = createCatalogue();
  const movements = new Map<string, Movement>();
  const orders = new Set<string>();
  const interrupted = new Map<string, number>();
  const notPlayed: Partial<Record<NotPlayedReason, number>> = {};
  const counts = { lines: 0, saleLines: 0, adjustments: 0 };
  const span = { firstAtMs: 0, firstTs: "", lastTs: "" };
  let current = "";

  function noteInvoice(line: InvoiceLine): void {
    if (line.invoice !== current && orders.has(line.invoice)) interrupted.set(line.invoice, line.lineNo);
    else if (interrupted.has(line.invoice)) interrupted.set(line.invoice, line.lineNo);
    orders.add(line.invoice);
    current = line.invoice;
  }

  function sale(line: InvoiceLine): void {
    counts.saleLines += 1;
    noteInvoice(line);
    catalogue.take(line);
    movementOf(movements, line.sku).sold += line.quantity;
  }

  function adjustment(line: InvoiceLine): void {
    counts.adjustments += 1;
    const movement = movementOf(movements, line.sku);
    if (line.quantity > 0) movement.added += line.quantity;
    else movement.removed -= line.quantity;
  }

  return {
    take(line) {
      if (counts.lines === 0) Object.assign(span, { firstAtMs: line.atMs, firstTs: line.ts });
      counts.lines += 1;
      span.lastTs = line.ts;
      const kind = kindOf(line);
      if (kind === "sale") sale(line);
      else if (kind === "adjustment") adjustment(line);
      else notPlayed[kind] = (notPlayed[kind] ?? 0) + 1;
    },
    result: () => ({
      ...counts,
      ...span,
      orders: orders.size,
      notPlayed,
      interrupted,
      movements,
      products: catalogue.products(),
    }),
  };
}

function movementOf(movements: Map<string, Movement>, sku: string): { -readonly [K in keyof Movement]: Movement[K] } {
  let movement = movements.get(sku);
  if (movement === undefined) movements.set(sku, (movement = { sold: 0, added: 0, removed: 0 }));
  return movement;
}
