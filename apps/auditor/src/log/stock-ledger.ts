import { stockAdjusted, stockAdjustmentRefused, stockReleased, stockReserved, stockShipped } from "@waybill/contracts";
import type { LogMessage } from "../books.ts";
import type { Findings } from "../findings.ts";
import { placeOf } from "./chains.ts";
import { movementsOf, type Movement } from "./movements.ts";

/** What the movements of a SKU add up to. */
export interface Shelf {
  onHand: number;
  reserved: number;
  /** What the log begins with: 0, unless retention has let older movements go. */
  readonly initial: number;
  adjusted: number;
  shipped: number;
  /** When it moved last. */
  atMs: number;
}

/** How an event moves pieces, as factors of its quantity. */
interface Moves {
  readonly onHandBy: number;
  readonly reservedBy: number;
}

const moves: ReadonlyMap<string, Moves> = new Map([
  [stockAdjusted.name, { onHandBy: 1, reservedBy: 0 }],
  [stockAdjustmentRefused.name, { onHandBy: 0, reservedBy: 0 }],
  [stockReserved.name, { onHandBy: 0, reservedBy: 1 }],
  [stockReleased.name, { onHandBy: 0, reservedBy: -1 }],
  [stockShipped.name, { onHandBy: -1, reservedBy: -1 }],
]);

/** Adjustments of this name put a shelf right after a breach: from there on the count begins anew. */
export const correctionPrefix = "audit/";

/** Law 4 over the topic of movements: each says what it left, and that must follow from the one before it. */
export class StockLedger {
  readonly shelves = new Map<string, Shelf>();
  /** Movements may be missing at the beginning: the first one of a SKU says what was there. */
  readonly #isCut: boolean;

  /** Movements come in the order in which they were made. Where they do not, only their sums can be told. */
  readonly #isOrdered: boolean;

  constructor(isCut: boolean, isOrdered: boolean) {
    this.#isOrdered = isOrdered;
    this.#isCut = isCut;
  }

  /** Takes the next message; returns the SKUs that it moves. */
  take(message: LogMessage, findings: Findings): readonly string[] {
    const by = moves.get(message.type);
    if (by === undefined || (this.#isCut && !this.#isOrdered)) return [];
    const lines = movementsOf(message.body());
    for (const line of lines) this.#move(line, by, message, findings);
    return lines.map(({ sku }) => sku);
  }

  #move(line: Movement, { onHandBy, reservedBy }: Moves, message: LogMessage, findings: Findings): void {
    const { sku, quantity, onHand, reserved } = line;
    findings.checked(4);
    const shelf = this.shelves.get(sku) ?? this.#begun(line, onHandBy, reservedBy);
    const expected = { onHand: shelf.onHand + onHandBy * quantity, reserved: shelf.reserved + reservedBy * quantity };
    if (reserved < 0 || onHand < reserved) {
      breach(findings, message, sku, `${message.type} left ${onHand} on hand and ${reserved} reserved`);
    }
    const isCorrection = line.adjustmentId?.startsWith(correctionPrefix) === true;
    if (!this.#isOrdered) return add(shelf, isCorrection ? shelf : expected, message);
    if (!isCorrection && (expected.onHand !== onHand || expected.reserved !== reserved)) {
      const what = `${message.type} of ${quantity} left ${onHand} on hand and ${reserved} reserved`;
      const by = `by the movements before it that is ${expected.onHand} and ${expected.reserved}`;
      breach(findings, message, sku, `${what}; ${by}`);
    }
    add(shelf, { onHand, reserved }, message);
  }

  #begun({ sku, quantity, onHand, reserved }: Movement, onHandBy: number, reservedBy: number): Shelf {
    const initial = this.#isCut ? onHand - onHandBy * quantity : 0;
    const first = this.#isCut ? reserved - reservedBy * quantity : 0;
    const shelf: Shelf = { onHand: initial, reserved: first, initial, adjusted: 0, shipped: 0, atMs: 0 };
    this.shelves.set(sku, shelf);
    return shelf;
  }
}

/** Brings a shelf to what a movement made of it. */
function add(shelf: Shelf, { onHand, reserved }: Pick<Shelf, "onHand" | "reserved">, message: LogMessage): void {
  if (message.type === stockAdjusted.name) shelf.adjusted += onHand - shelf.onHand;
  else shelf.shipped += shelf.onHand - onHand;
  shelf.onHand = onHand;
  shelf.reserved = reserved;
  shelf.atMs = message.atMs;
}

function breach(findings: Findings, message: LogMessage, sku: string, what: string): void {
  findings.breach({
    law: 4,
    what: `SKU ${sku}: ${what}.`,
    where: placeOf(message),
    sinceMs: message.atMs,
    remedy: "Count the shelf, and adjust the stock to what is there.",
  });
}
