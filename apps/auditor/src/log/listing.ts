import { allOrders, entryOf, ordersOf } from "@waybill/listing";
import type { Books } from "../books.ts";
import type { OrderTable } from "./order-table.ts";
import { told } from "./told.ts";

/** Whether the shop keeps lists of its orders. */
export function keepsLists({ positions }: Books): boolean {
  return positions.some(({ service }) => service === "listing");
}

/** Notes for each order in which lists it stands: among all, and among its customer's. */
export async function readLists(books: Books, orders: OrderTable): Promise<void> {
  for await (const page of books.ids("listing", "listed")) {
    for (const id of page) {
      const list = listOf(id);
      const entry = list === undefined ? undefined : entryOf(list, id);
      const place = entry === undefined ? -1 : orders.place(entry.orderId);
      if (place < 0) continue;
      orders.tell(place, orders.told(place) | (list === allOrders ? told.listed : told.listedToCustomer));
    }
  }
}

/** The list that an id belongs to; undefined for the lists of what is rare. */
function listOf(id: string): string | undefined {
  if (id.startsWith(allOrders)) return allOrders;
  if (!id.startsWith("c/")) return undefined;
  return ordersOf(decodeURIComponent(id.slice(2, id.indexOf("/", 2))));
}
