import { createHash } from "node:crypto";
import { basename } from "node:path";
import { ReplayError } from "./errors.ts";
import type { AdjustmentPlay, OrderPlay } from "./invoices.ts";

/** How many times faster than the invoices' own clock; Infinity does not wait at all. */
export type Speed = number;

/** Reads `max` or a factor such as `100x`. Throws OPTION_INVALID. */
export function parseSpeed(text: string): Speed {
  if (text === "max") return Infinity;
  const factor = /^\d+(\.\d+)?x$/.test(text) ? Number(text.slice(0, -1)) : 0;
  if (factor > 0) return factor;
  throw new ReplayError(
    "OPTION_INVALID",
    `--speed "${text}": use max, or how many times faster than life, such as 100x.`,
  );
}

/**
 * When a play is due, in ms of the caller's clock: the first moment of the file is `startedAtMs`, later ones are as far
 * behind it as in the file, divided by the speed. Never before `startedAtMs`. A replay that resumes gives the time and the
 * `firstAtMs` of where it goes on, so what is already played does not make it wait.
 */
export function dueAtMs(speed: Speed, startedAtMs: number, firstAtMs: number, atMs: number): number {
  return startedAtMs + Math.max(0, atMs - firstAtMs) / speed;
}

/**
 * The name under which a file's ids are made: its file name without `.csv` and `.gz`. The same name with the same invoice
 * is the same order for ever, wherever the file lies.
 */
export function sourceOf(file: string): string {
  return basename(file).replace(/(\.csv)?(\.gz)?$/i, "");
}

/**
 * The order's id: a UUID in the layout of version 7 (RFC 9562) whose time is the invoice's and whose other bits come from
 * a hash of source and invoice number. Ids sort by the invoices' time, and a replay that is started again says the same
 * ids, so that placing an order twice is placing it once.
 */
export function orderId(source: string, order: Pick<OrderPlay, "invoice" | "atMs">): string {
  return timedId(order.atMs, ["order", source, order.invoice]);
}

/** The adjustment's id, of the same kind, from source, invoice and line number. */
export function adjustmentId(source: string, play: Pick<AdjustmentPlay, "invoice" | "lineNo" | "atMs">): string {
  return timedId(play.atMs, ["adjustment", source, play.invoice, String(play.lineNo)]);
}

/** The id of the adjustment that puts a SKU's first stock on the shelf; `firstAtMs` as in the file's survey. */
export function initialStockId(source: string, firstAtMs: number, sku: string): string {
  return timedId(firstAtMs, ["initial-stock", source, sku]);
}

function timedId(atMs: number, names: readonly string[]): string {
  const time = atMs.toString(16).padStart(12, "0");
  const hash = createHash("sha256").update(JSON.stringify(names)).digest("hex");
  // Version 7 and the variant 10xx stand where RFC 9562 puts them.
  const variant = "89ab"[Number.parseInt(hash.slice(3, 4), 16) & 3];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`;
}
