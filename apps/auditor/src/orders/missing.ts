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
export async function missingOrders(books: Books, table: OrderTable, findings: Findings): Promise<void> {
  const open = unreadBy("orders") | parkedAt("orders");
  const wanted = new Set<string>();
  for (const print of table.fingerprints((word, waiting) => isMissing(word) && (waiting & open) === 0)) {
    if (wanted.size < namedMax) wanted.add(print);
  }
  if (wanted.size === 0) return;
  const named = new Set<string>([topics.ordersIn.name, topics.ordersImport.name, topics.orders.name]);
  for (const topic of books.topics) {
    if (!named.has(topic.name)) continue;
    await books.messages(topic, (message) => {
      if (wanted.size > 0 && wanted.delete(table.fingerprintOf(message.subject))) say(message.subject, table, findings);
    });
  }
}

function isMissing(word: number): boolean {
  return (word & told.met) === 0 && (word & (told.begun | told.asked)) !== 0;
}

function say(orderId: string, table: OrderTable, findings: Findings): void {
  const place = table.find(orderId);
  const facts = { order: undefined, reservation: undefined, payment: undefined, shipment: undefined };
  checkTold(
    {
      ...facts,
      orderId,
      operations: undefined,
      told: toldOf(table.told(place)),
      under: new UnderWay(table.waiting(place)),
    },
    findings,
  );
}
