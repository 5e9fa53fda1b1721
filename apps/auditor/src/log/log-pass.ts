import { allTopics, topics } from "@waybill/contracts";
import type { Books, LogMessage, TopicFacts, Waiting } from "../books.ts";
import { Findings } from "../findings.ts";
import { partitionOf } from "@waybill/messaging";
import { Chains, placeOf } from "./chains.ts";
import { meaningOf, toldAfter, type Meaning } from "./order-log.ts";
import type { OrderTable } from "./order-table.ts";
import type { ProductLog } from "./product-log.ts";
import type { StockLedger } from "./stock-ledger.ts";
import { isShopService, parkedAt, unreadBy, waiting, type ShopService } from "./told.ts";

/** What the log is read into. */
export interface LogSums {
  readonly orders: OrderTable;
  /** Undefined when an earlier pass has seen to it. */
  readonly rest: { readonly stock: StockLedger; readonly products: ProductLog } | undefined;
}

/** Which message types each service handles; what it only passes by is on its way to nobody. */
export type Handles = ReadonlyMap<string, ReadonlySet<string>>;

/** Goes through all messages of all topics: laws 1 and 3, and of the others what the log tells. */
export async function readLog(
  books: Books,
  sums: LogSums,
  handles: Handles,
  findings: Findings,
  isWanted: (topic: string) => boolean = () => true,
): Promise<void> {
  // Doors first: whether an order was asked for must be known before anything is said of it.
  const order = new Map(allTopics.map(({ name, door }, at) => [name, door ? at : at + allTopics.length]));
  const sorted = books.topics.toSorted((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0));
  for (const topic of sorted) {
    if (isWanted(topic.name)) await readTopic(books, topic, sums, handles, findings);
  }
}

async function readTopic(
  books: Books,
  topic: TopicFacts,
  sums: LogSums,
  handles: Handles,
  findings: Findings,
): Promise<void> {
  const { orders, rest } = sums;
  // Chains are checked by the first pass; the later ones only ask them who has read what.
  const first = rest === undefined ? new Findings(0) : findings;
  const chains = new Chains(topic, books, first);
  const known = allTopics.find(({ name }) => name === topic.name);
  const isStock = topic.name === topics.stock.name;
  const isProducts = topic.name === topics.products.name;

  function visit(message: LogMessage): void {
    const unread = chains.take(message);
    if (unread === undefined || message.malformed) return;
    const { type } = message;
    // Of a topic of one's own the books do not say whether it is a door: what bears a stamp was said by a service.
    if (known === undefined ? message.source !== undefined : !known.door) checkPlace(message, topic.partitions, first);
    const meaning = meaningOf(type);
    if (meaning !== undefined) aboutOrder(message, type, meaning, unread);
    if (isStock) rest?.stock.take(message, findings);
    if (isProducts) rest?.products.take(message, unread.includes("orders"));
  }

  function aboutOrder(message: LogMessage, type: string, meaning: Meaning, unread: readonly string[]): void {
    const { text, from, to } = message.subjectAt;
    const place = orders.place(text, from, to);
    if (place < 0) return;
    for (const service of unread) {
      if (isShopService(service) && handles.get(service)?.has(type) === true) orders.await(place, unreadBy(service));
    }
    // What orders has not read yet asks for nothing yet.
    if (known?.door !== false && unread.includes("orders")) return;
    orders.tell(place, toldAfter(orders.told(place), message, meaning, orders.cutMs, findings));
  }

  try {
    await books.messages(topic, visit);
  } catch (error) {
    first.breach({
      law: 1,
      what: `The log cannot be read further: ${error instanceof Error ? error.message : String(error)}.`,
      where: topic.name,
      sinceMs: undefined,
      remedy: "The file is damaged: stop the shop, keep the file, and restore a backup.",
    });
  }
  chains.end();
}

/** Law 3: what belongs together lies in one partition. */
function checkPlace(message: LogMessage, partitions: number, findings: Findings): void {
  const partition = partitionOf(message.key, partitions);
  if (partition === message.partition) return;
  findings.breach({
    law: 3,
    what: `Message ${message.id} with key ${message.key} lies in partition ${message.partition} and belongs in ${partition}.`,
    where: placeOf(message),
    sinceMs: message.atMs,
    remedy: "Find who writes to this topic with another way of choosing partitions.",
  });
}

/** How long after its time, by the lane's own time, a timer counts as forgotten, in milliseconds. */
export const lateMs = 60_000;

/** Notes what waits for orders: timers, calls to the outside, parked inputs. */
export async function readWaiting(books: Books, orders: OrderTable): Promise<void> {
  const laneTimes = new Map<string, number>();
  for (const { service, timeMs } of books.lanes) {
    laneTimes.set(service, Math.min(laneTimes.get(service) ?? Infinity, timeMs));
  }
  const each = async (rows: AsyncIterable<readonly Waiting[]>, bits: (row: Waiting, of: ShopService) => number) => {
    for await (const page of rows) {
      for (const row of page) {
        if (!isShopService(row.service)) continue;
        const place = orders.place(row.key);
        if (place >= 0) orders.await(place, bits(row, row.service));
      }
    }
  };
  await each(books.timers(), ({ name, dueMs }, service) => {
    if (service === "fulfilment") return waiting.dispatchTimer;
    if (service !== "orders" || name !== "payment-deadline") return 0;
    return (dueMs ?? 0) + lateMs < laneTimes.get(service)! ? waiting.deadlineLate : waiting.deadline;
  });
  // A question whether the gateway is there moves no money.
  const isCall = (name: string, service: ShopService) => service === "payments" && name.startsWith("payment.");
  await each(books.effects(), ({ name }, service) => (isCall(name, service) ? waiting.gatewayCall : 0));
  await each(books.parked(), (_, service) => parkedAt(service));
}
