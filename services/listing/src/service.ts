import { orderAttentionNeeded, orderCancelled, orderPlaced, orderRejected } from "@waybill/contracts";
import { service, state, when, type Held, type Out, type Service, type StateRef } from "@waybill/messaging";
import { allOrders, idIn, inNeed, ordersOf, type NeedName } from "./lists.ts";

/** That an order stands there; all there is to know is in the id. */
type Listed = true;

/** An order's place in a list, by its id there; the order itself is with the orders service. */
export const listed = state<Listed>("listed");

/**
 * Lists of orders: all, by customer, and of those that are rare and looked for. What stands in a list never changes and never
 * goes: whether an order still is what its list is for, the order says. So an order costs two small rows, written once.
 */
export function listing(): Service {
  return service("listing", {
    on: [
      when(orderPlaced, ofNew, (_, places, out) => enter(places, out)),
      when(
        orderRejected,
        (m) => [...ofNew(m), ...rare("rejected", m)],
        (_, places, out) => enter(places, out),
      ),
      when(
        orderCancelled,
        (m) => rare("cancelled", m),
        (_, places, out) => enter(places, out),
      ),
      when(
        orderAttentionNeeded,
        (m) => rare("attention", m),
        (_, places, out) => enter(places, out),
      ),
    ],
  });
}

interface Known {
  readonly orderId: string;
  readonly placedAtMs?: number;
}

/** The places of an order that is new, among all and among its customer's. */
function ofNew({ orderId, placedAtMs, customerId }: Known & { readonly customerId?: string }): StateRef<Listed>[] {
  if (placedAtMs === undefined || customerId === undefined) return [];
  return [allOrders, ordersOf(customerId)].map((list) => listed(idIn(list, { orderId, placedAtMs })));
}

/** The place of an order in a list of rare ones. */
function rare(name: NeedName, { orderId, placedAtMs }: Known): StateRef<Listed>[] {
  return placedAtMs === undefined ? [] : [listed(idIn(inNeed(name), { orderId, placedAtMs }))];
}

function enter(places: readonly Held<Listed>[], out: Out): void {
  for (const place of places) if (place.value === undefined) out.save(place, true);
}
