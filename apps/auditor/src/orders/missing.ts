import { topics } from "@waybill/contracts";
import type { Books } from "../books.ts";
import type { Findings } from "../findings.ts";
import type { OrderTable } from "../log/order-table.ts";
import { told, toldOf, unreadBy, parkedAt } from "../log/told.ts";
import { checkTold } from "./check-told.ts";
import { UnderWay } from "./facts.ts";

/** So many are named at most; the rest would only repeat them. */
const namedMax = 10_000;

/** Law 1: orders that the log tells of, and of which no service has a state. Reads the log again only when there are some. */
export async function missingOrders(books: Books, tables: readonly OrderTable[], findings: Findings): Promise<void> {
  const open = unreadBy("orders") | parkedAt("orders");
  const wanted = new Set<string>();
  for (const table of tables) {
    for (const print of table.fingerprints((word, waiting) => isMissing(word) && (waiting & open) === 0)) {
      if (wanted.size < namedMax) wanted.add(print);
    }
  }
  if (wanted.size === 0) return;
  const named = new Set<string>([topics.ordersIn.name, topics.ordersImport.name, topics.orders.name]);
  for (const topic of books.topics) {
    if (!named.has(topic.name)) continue;
    await books.messages(topic, (message) => {
      if (wanted.size > 0 && wanted.delete(tables[0]!.fingerprintOf(message.subject))) {
        say(message.subject, tables, findings);
      }
    });
  }
}

function isMissing(word: number): boolean {
  return (word & told.met) === 0 && (word & (told.begun | told.asked)) !== 0;
}

function say(orderId: string, tables: readonly OrderTable[], findings: Findings): void {
  const nothing = { order: undefined, reservation: undefined, payment: undefined, shipment: undefined };
  let word = 0;
  let waiting = 0;
  for (const table of tables) {
    const place = table.find(orderId);
    word |= table.told(place);
    waiting |= table.waiting(place);
  }
  const facts = { ...nothing, orderId, operations: undefined, history: () => [], hasLists: false };
  checkTold({ ...facts, told: toldOf(word), under: new UnderWay(waiting) }, findings);
}
