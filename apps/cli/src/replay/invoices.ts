import { ReplayError } from "./errors.ts";
import { kindOf } from "./kinds.ts";
import { invoiceLines, type InvoiceLine } from "./lines.ts";

export interface OrderLine {
  readonly lineNo: number;
  readonly sku: string;
  readonly quantity: number;
  /** The decimal text of the file. */
  readonly unitPrice: string;
}

/** One invoice's sale lines. Lines that share a SKU stay apart, as they were invoiced. */
export interface OrderPlay {
  readonly kind: "order";
  readonly invoice: string;
  /** The earliest time of its sale lines, as text and in ms. */
  readonly ts: string;
  readonly atMs: number;
  readonly customer: { readonly id: string; readonly email: string };
  readonly country: string;
  readonly lines: readonly OrderLine[];
}

/** One line that moves stock without being a sale. */
export interface AdjustmentPlay {
  readonly kind: "adjustment";
  readonly invoice: string;
  readonly lineNo: number;
  readonly ts: string;
  readonly atMs: number;
  readonly sku: string;
  /** Signed units, never zero. */
  readonly quantity: number;
  readonly reason: string;
}

export type Play = OrderPlay | AdjustmentPlay;

/** The number of the last sale line of each invoice whose sale lines another invoice interrupts. */
export type Interrupted = ReadonlyMap<string, number>;

/** An order waits until its last line is read, and what comes later waits behind it: this is the most that may wait. */
const heldLinesMax = 200_000;

/**
 * What is played, in file order: an order stands where its first sale line stands. An order is complete when the next
 * order begins; invoices that the file interrupts and continues (`interrupted`, from a survey of the same file) are held
 * to their last line. Holds at most 200,000 lines, then throws FILE_INVALID.
 */
export async function* plays(file: string, interrupted: Interrupted): AsyncGenerator<Play, void, undefined> {
  const sequence = createSequence(interrupted);
  for await (const line of invoiceLines(file)) {
    sequence.take(line);
    for (let play = sequence.next(); play !== undefined; play = sequence.next()) yield play;
  }
  sequence.end();
  for (let play = sequence.next(); play !== undefined; play = sequence.next()) yield play;
}

interface Sequence {
  /** Takes the file's next line. */
  take(line: InvoiceLine): void;
  /** No more lines will come: every order is complete. */
  end(): void;
  /** The next play that is complete and has nothing incomplete before it. */
  next(): Play | undefined;
}

type Draft = { -readonly [K in keyof OrderPlay]: OrderPlay[K] } & { readonly lines: OrderLine[] };

export function createSequence(interrupted: Interrupted): Sequence {
  let held: (Draft | AdjustmentPlay)[] = [];
  let first = 0;
  let heldLines = 0;
  const open = new Map<string, Draft>();
  let current: string | undefined;

  function takeSale(line: InvoiceLine): void {
    if (current !== undefined && current !== line.invoice && !interrupted.has(current)) open.delete(current);
    current = line.invoice;
    let draft = open.get(line.invoice);
    if (draft === undefined) {
      draft = draftOf(line);
      open.set(line.invoice, draft);
      held.push(draft);
    }
    addLine(draft, line);
    if (interrupted.get(line.invoice) === line.lineNo) open.delete(line.invoice);
  }

  return {
    take(line) {
      const kind = kindOf(line);
      if (kind === "sale") takeSale(line);
      else if (kind === "adjustment") held.push(adjustmentOf(line));
      else return;
      heldLines += 1;
      if (heldLines > heldLinesMax) throw tooSpread(held[first] as Play);
    },
    end() {
      open.clear();
    },
    next() {
      const play = held[first];
      if (play === undefined || (play.kind === "order" && open.get(play.invoice) === play)) return undefined;
      first += 1;
      heldLines -= play.kind === "order" ? play.lines.length : 1;
      if (first === held.length || first === 1024) {
        held = held.slice(first);
        first = 0;
      }
      return play;
    },
  };
}

function tooSpread(play: Play): ReplayError {
  const text = `Invoice ${play.invoice} of ${play.ts} is spread over more than ${heldLinesMax} lines. Sort the file by time and invoice.`;
  return new ReplayError("FILE_INVALID", text);
}

function draftOf(line: InvoiceLine): Draft {
  const id = line.customerId === "" ? `guest-${line.invoice}` : line.customerId;
  return {
    kind: "order",
    invoice: line.invoice,
    ts: line.ts,
    atMs: line.atMs,
    // RFC 2606 reserves .example: a mail that leaves by mistake reaches nobody.
    customer: {
      id,
      email: `${id
        .toLowerCase()
        .replace(/[^a-z0-9._-]/g, "-")
        .slice(0, 64)}@customers.example`,
    },
    country: line.country,
    lines: [],
  };
}

function addLine(draft: Draft, line: InvoiceLine): void {
  draft.lines.push({
    lineNo: line.lineNo,
    sku: line.sku,
    quantity: line.quantity,
    unitPrice: line.unitPrice,
  });
  if (line.atMs >= draft.atMs) return;
  draft.ts = line.ts;
  draft.atMs = line.atMs;
}

function adjustmentOf(line: InvoiceLine): AdjustmentPlay {
  const { invoice, lineNo, ts, atMs, sku, quantity } = line;
  return {
    kind: "adjustment",
    invoice,
    lineNo,
    ts,
    atMs,
    sku,
    quantity,
    reason: line.description || "unspecified",
  };
}
