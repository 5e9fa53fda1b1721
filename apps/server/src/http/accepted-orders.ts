import { orderImport, orderPlace, topics, type OrderPlace } from "@waybill/contracts";
import { bodyText, partitionOf, type Envelope } from "@waybill/messaging";
import { partitions } from "../engine.ts";
import { pagesTo } from "../pages.ts";
import type { HttpParts } from "./app.ts";

/** Orders that this process has stored and that the orders service has not come to. */
const rememberedMax = 20_000;
/** What was handled a moment ago may not be stored yet: so many offsets are looked at again. */
const offsetsBack = 256;
/** How many messages that wait for their broker are looked at. */
const spooledMax = 2_000;
const page = { messages: 1_000, bytes: 1_048_576 };
const door = topics.ordersIn.name;
const begins: ReadonlySet<string> = new Set([orderPlace.name, orderImport.name]);

/** Knows which orders are stored and not yet known to the orders service, so that nobody is told there is none. */
export function openAccepted({ engine, watch }: Pick<HttpParts, "engine" | "watch">) {
  const customers = new Map<string, string>();
  watch.listen(({ topic, subject }) => {
    if (topic === topics.orders.name) customers.delete(subject);
  });

  /** Looks for an order among what waits for its broker, and what the orders service has not read: another process may have stored it, or this one in a former life. */
  async function unread(orderId: string): Promise<string | undefined> {
    const { lanes } = await engine.store.survey(["orders"]);
    if (lanes.length === 0) return undefined;
    const partition = partitionOf(orderId, partitions);
    // What leaves the spool is on the log by then, so it is looked at first.
    const spooled = (await engine.spool?.look(door, partition, spooledMax))?.find(isOf(orderId));
    if (spooled !== undefined) return customerIn(spooled);
    const lane = { service: "orders", lane: partition % lanes.length, lanes: lanes.length };
    const { positions } = await engine.store.recover(lane);
    const transport = engine.durable.transportOf(door);
    const bounds = (await transport.bounds(door))[partition]!;
    const { logId, firstOffset } = bounds;
    const read = positions.find((position) => position.topic === door && position.partition === partition);
    const nextOffset = Math.max(firstOffset, (read?.nextOffset ?? 0) - offsetsBack);
    const from = { topic: door, partition, logId, nextOffset };
    for await (const messages of pagesTo(transport, [from], [bounds], page)) {
      const found = messages.find(isOf(orderId));
      if (found !== undefined) return customerIn(found);
    }
    return undefined;
  }

  return {
    /** Whose order it is; undefined when it is not one of them. */
    customerOf: async (orderId: string) => customers.get(orderId) ?? (await unread(orderId)),
    /** Remembers an order while it is stored and until the orders service knows it. */
    async during<T>({ orderId, customer }: OrderPlace, store: () => Promise<T>): Promise<T> {
      if (customers.size < rememberedMax) customers.set(orderId, customer.id);
      try {
        return await store();
      } catch (error) {
        customers.delete(orderId);
        throw error;
      }
    },
  };
}

function isOf(orderId: string): (message: Pick<Envelope, "type" | "subject">) => boolean {
  return ({ type, subject }) => subject === orderId && begins.has(type);
}

/** Undefined when nobody has checked the message yet, and it is no order. */
function customerIn({ body }: Pick<Envelope, "body">): string | undefined {
  try {
    const { customer } = JSON.parse(bodyText(body)) as { customer?: { id?: unknown } };
    return typeof customer?.id === "string" ? customer.id : undefined;
  } catch {
    return undefined;
  }
}
