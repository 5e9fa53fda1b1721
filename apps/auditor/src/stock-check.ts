import type { Stock } from "@waybill/inventory";
import type { Books } from "./books.ts";
import type { Findings } from "./findings.ts";
import type { Fix } from "./laws.ts";
import { correctionPrefix, type Shelf } from "./log/stock-ledger.ts";

/** Law 4 for each SKU: its state, its movements, and what is held of it for orders. */
export async function checkStock(
  books: Books,
  shelves: ReadonlyMap<string, Shelf>,
  held: ReadonlyMap<string, number>,
  isCut: boolean,
  findings: Findings,
): Promise<void> {
  const missing = new Map(shelves);
  for await (const page of books.states("inventory", "stock")) {
    for (const { id: sku, body } of page) {
      const shelf = missing.get(sku);
      missing.delete(sku);
      findings.checked(4);
      checkSku({ sku, stock: JSON.parse(body) as Stock, shelf, held: held.get(sku) ?? 0, isCut }, findings);
    }
  }
  for (const [sku, shelf] of missing) {
    const what = `The log tells of ${shelf.onHand} on hand and ${shelf.reserved} reserved, and there is no stock of it`;
    say(sku, what, shelf, "Put the state back from a backup.", undefined, findings);
  }
}

export interface SkuFacts {
  readonly sku: string;
  readonly stock: Stock;
  /** What its movements tell; undefined when there are none. */
  readonly shelf: Shelf | undefined;
  /** How many pieces reservations hold. */
  readonly held: number;
  /** Retention may have let movements go. */
  readonly isCut: boolean;
}

export function checkSku({ sku, stock, shelf, held, isCut }: SkuFacts, findings: Findings): void {
  const { onHand, reserved } = stock;
  if (reserved < 0 || onHand < reserved) {
    const what = `There are ${onHand} on hand and ${reserved} reserved`;
    say(sku, what, shelf, "Count the shelf; cancel orders that hold what is not there.", undefined, findings);
  }
  if (reserved !== held) {
    const what = `${reserved} pieces are reserved, and the reservations of orders add up to ${held}`;
    const remedy =
      "No message changes this number alone: put the state back from a backup, or by hand with the shop stopped.";
    say(sku, what, shelf, remedy, undefined, findings);
  }
  if (shelf === undefined) {
    const isNothing = onHand === 0 && reserved === 0;
    if (!isNothing && !isCut)
      say(sku, `${onHand} are on hand, and the log tells of no movement`, shelf, count, undefined, findings);
  } else if (onHand !== shelf.onHand) {
    const { initial, adjusted, shipped } = shelf;
    const sum = `${initial} at first + ${adjusted} adjusted − ${shipped} shipped = ${shelf.onHand}`;
    say(sku, `${onHand} are on hand; by its movements ${sum}`, shelf, count, correction(sku, shelf, stock), findings);
  } else if (reserved !== shelf.reserved) {
    say(sku, `${reserved} are reserved; by its movements ${shelf.reserved}`, shelf, count, undefined, findings);
  }
}

const count = "Count the shelf, and adjust the stock to what is there.";

/** Brings the state back to what the movements tell. */
function correction(sku: string, shelf: Shelf, stock: Stock): Fix {
  const quantity = shelf.onHand - stock.onHand;
  const adjustmentId = `${correctionPrefix}${sku}/${shelf.atMs}/${quantity}`;
  return {
    kind: "message",
    type: "stock.adjust",
    body: { adjustmentId, sku, quantity, reason: "Audit: to what its movements tell." },
  };
}

function say(
  sku: string,
  what: string,
  shelf: Shelf | undefined,
  remedy: string,
  fix: Fix | undefined,
  findings: Findings,
): void {
  findings.breach({
    law: 4,
    what: `${what}.`,
    where: `SKU ${sku}`,
    sinceMs: shelf?.atMs,
    remedy,
    ...(fix === undefined ? {} : { fix }),
  });
}
