import { orderAttentionNeeded, orderCancelled, orderPlaced, orderRejected } from "@waybill/contracts";
import { service, state, when, type Held, type Out, type Service, type StateRef } from "@waybill/messaging";
import { allOrders, idIn, inNeed, ordersOf, type NeedName } from "./lists.ts";

/** An order's place in a list, by its id there; the order itself is with the orders service. */
export const listed = state<true>("listed");

/**
 * Lists of orders: all, by customer, and of those that are rare and looked for. What stands in a list never changes and never
 * goes: whether an order still is what its list is for, the order says. So an order costs two small rows, written once.
 */
export function listing(): Service {
  return service("listing", {
    on: [
      when(orderPlaced, (m) => ofNew(m), enter),
      when(
        orderRejected,
        (m) => [
          ...(m.customerId === undefined ? [] : ofNew({ ...m, customerId: m.customerId })),
          ...rare("rejected", m),
        ],
        enter,
      ),
      when(orderCancelled, (m) => rare("cancelled", m), enter),
      when(orderAttentionNeeded, (m) => rare("attention", m), enter),
    ],
  });
}

interface Known {
  readonly orderId: string;
  readonly placedAtMs?: number;
}

/** The places of an order that is new, among all and among its customer's. */
function ofNew({ orderId, placedAtMs, customerId }: Known & { readonly customerId: string }): StateRef<true>[] {
  if (placedAtMs === undefined) return [];
  return [allOrders, ordersOf(customerId)].map((list) => listed(idIn(list, { orderId, placedAtMs })));
}

/** The place of an order in a list of rare ones. */
function rare(name: NeedName, { orderId, placedAtMs }: Known): StateRef<true>[] {
  return placedAtMs === undefined ? [] : [listed(idIn(inNeed(name), { orderId, placedAtMs }))];
}

function enter(_: unknown, places: readonly Held<true>[], out: Out): void {
  for (const place of places) if (place.value === undefined) out.save(place, true);
}
