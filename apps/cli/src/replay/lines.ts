import { open, type FileHandle } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { parse, type Info } from "csv-parse";
import { isPrice } from "./amount.ts";
import { ReplayError } from "./errors.ts";

/** One line of an invoice, as the file has it; only the SKU is upper-cased and the time also given as a number. */
export interface InvoiceLine {
  /** The file's own number of the line; rises through the file. */
  readonly lineNo: number;
  readonly invoice: string;
  readonly sku: string;
  readonly description: string;
  /** Units; negative for what goes back or is written off. */
  readonly quantity: number;
  /** `YYYY-MM-DDTHH:MM`, in no stated zone. */
  readonly ts: string;
  /** The same time in ms, read as UTC. */
  readonly atMs: number;
  /** The decimal text of the file, at most four decimals. */
  readonly unitPrice: string;
  /** Empty when the file names none. */
  readonly customerId: string;
  readonly country: string;
}

const columns = [
  "line_no",
  "invoice_no",
  "stock_code",
  "description",
  "quantity",
  "invoice_ts",
  "unit_price",
  "customer_id",
  "country",
] as const;

type Column = (typeof columns)[number];

interface Row {
  readonly record: readonly string[];
  readonly info: Pick<Info, "lines">;
}

/** A quote that is never closed would otherwise swallow the rest of the file into one field. */
const recordBytesMax = 65_536;
const chunkBytes = 131_072;
const namesMax = 200;
/** What the shop takes at most: units in a line, and characters of a title or a reason. */
const unitsMax = 1_000_000;
const descriptionMax = 500;

/**
 * The lines of a CSV file, plain or gzip (its first bytes decide, not its name), in file order. Streams: holds a few
 * chunks, whatever the file's size. Throws FILE_UNREADABLE, or FILE_INVALID naming the line and the column.
 */
export async function* invoiceLines(file: string): AsyncGenerator<InvoiceLine, void, undefined> {
  const { bytes, rows } = await openRows(file);
  let read: ((row: Row) => InvoiceLine) | undefined;
  try {
    for await (const row of rows as AsyncIterable<Row>) {
      if (read === undefined) read = lineReader(file, row.record);
      else yield read(row);
    }
  } catch (error) {
    throw readableError(file, error);
  } finally {
    rows.destroy();
    await closed(bytes);
  }
  if (read !== undefined) return;
  const text = `${file} is empty. Its first line must be: ${columns.join(",")}`;
  throw new ReplayError("FILE_INVALID", text);
}

async function openRows(file: string): Promise<{ bytes: Readable; rows: Readable }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    const zipped = bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    const bytes = handle.createReadStream({ start: 0, highWaterMark: chunkBytes });
    const rows = parse({ bom: true, info: true, max_record_size: recordBytesMax });
    // The parser is destroyed with the error of any stage, so whoever reads the rows sees it.
    const ended = (): void => undefined;
    if (zipped) pipeline(bytes, createGunzip({ chunkSize: chunkBytes }), rows, ended);
    else pipeline(bytes, rows, ended);
    return { bytes, rows };
  } catch (error) {
    await handle?.close();
    throw readableError(file, error);
  }
}

/** Resolves when the file is shut, so that a caller may delete or replace it right after. */
async function closed(bytes: Readable): Promise<void> {
  bytes.destroy();
  if (!bytes.closed) await new Promise((resolve) => bytes.once("close", resolve));
}

function readableError(file: string, error: unknown): ReplayError {
  if (error instanceof ReplayError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (code.startsWith("CSV_")) return new ReplayError("FILE_INVALID", `${file}: ${message}`, error);
  if (code === "ENOENT") return new ReplayError("FILE_UNREADABLE", `${file}: no such file.`, error);
  if (code === "EISDIR") return new ReplayError("FILE_UNREADABLE", `${file} is a folder; name a CSV file.`, error);
  if (code.startsWith("Z_")) {
    return new ReplayError("FILE_UNREADABLE", `${file}: damaged or cut-off gzip data (${message}).`, error);
  }
  return new ReplayError("FILE_UNREADABLE", `${file}: ${message}`, error);
}

/** Checks the header and gives the function that reads one row; columns are found by name, in any order. */
function lineReader(file: string, header: readonly string[]): (row: Row) => InvoiceLine {
  const cells: Cells = createCells(file, header);
  let lineNo = 0;
  let last = { ts: "", atMs: 0 };

  // Ids of adjustments derive from this number, so two lines must never share one.
  function nextLineNo(): number {
    const next = cells.whole("line_no");
    if (next <= lineNo) cells.wrong("line_no", `does not rise: the line before has ${lineNo}.`);
    return (lineNo = next);
  }

  // Many lines in a row have the same time.
  function time(): { ts: string; atMs: number } {
    const ts = cells.text("invoice_ts");
    if (ts === last.ts) return last;
    const atMs = timeOf(ts);
    if (atMs === undefined) cells.wrong("invoice_ts", "is not a time such as 2010-12-01T08:26.");
    return (last = { ts, atMs });
  }

  return (row) => {
    cells.use(row);
    const { ts, atMs } = time();
    return {
      lineNo: nextLineNo(),
      invoice: cells.filled("invoice_no"),
      sku: cells.filled("stock_code").toUpperCase(),
      description: cells.text("description").trim().slice(0, descriptionMax),
      quantity: units(cells),
      ts,
      atMs,
      unitPrice: price(cells),
      customerId: cells.text("customer_id").trim(),
      country: cells.filled("country"),
    };
  };
}

function units(cells: Cells): number {
  const quantity = cells.whole("quantity");
  if (Math.abs(quantity) > unitsMax) cells.wrong("quantity", `is more than ${unitsMax} units.`);
  return quantity;
}

function price(cells: Cells): string {
  const text = cells.text("unit_price");
  if (!isPrice(text)) cells.wrong("unit_price", "is not a price with at most four decimals.");
  return text;
}

interface Cells {
  /** The row that the others read. */
  use(row: Row): void;
  text(name: Column): string;
  filled(name: Column): string;
  whole(name: Column): number;
  /** Throws FILE_INVALID with the file, line, column and what stands there. */
  wrong(name: Column, what: string): never;
}

function createCells(file: string, header: readonly string[]): Cells {
  const missing = columns.filter((name) => !header.includes(name));
  if (missing.length > 0) {
    const found = header.join(",").slice(0, namesMax);
    const text = `${file}, line 1: no column ${missing.join(", ")}. The header is: ${found}`;
    throw new ReplayError("FILE_INVALID", text);
  }
  const at = new Map(columns.map((name) => [name, header.indexOf(name)]));
  let row: Row = { record: [], info: { lines: 1 } };

  function text(name: Column): string {
    return row.record[at.get(name) ?? -1] ?? "";
  }

  function wrong(name: Column, what: string): never {
    const where = `${file}, line ${row.info.lines}, column ${name}`;
    throw new ReplayError("FILE_INVALID", `${where}: "${text(name)}" ${what}`);
  }

  return {
    use(next) {
      row = next;
    },
    text,
    wrong,
    filled: (name) => text(name).trim() || wrong(name, "must not be empty."),
    whole(name) {
      const digits = text(name);
      if (/^-?\d{1,9}$/.test(digits)) return Number(digits);
      return wrong(name, "is not a whole number of at most nine digits.");
    },
  };
}

/** ms of a time without a zone, read as UTC; undefined when there is no such minute in the calendar since 1970. */
function timeOf(ts: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(ts)) return undefined;
  const atMs = Date.parse(`${ts}:00Z`);
  // Date.parse takes 30 February for 2 March; writing it back shows that.
  return !(atMs >= 0) || !new Date(atMs).toISOString().startsWith(ts) ? undefined : atMs;
}
