import {
  orderCancelRequested,
  orderConfirmed,
  shipmentCancelled,
  shipmentDeliver,
  shipmentDelivered,
  shipmentDispatch,
  shipmentDispatched,
  shipmentRefused,
} from "@waybill/contracts";
import { service, state, timer, when, whenDue, type Held, type Out, type Service } from "@waybill/messaging";
import { cancel, created, deliver, dispatch, type Decision, type Shipment } from "./rules.ts";

/** By the order's id. */
export const shipment = state<Shipment>("shipment");
/** When a waiting shipment leaves by itself. */
export const dispatchDue = timer("dispatch");

export interface FulfilmentOptions {
  /** How long after its confirmation an order leaves by itself; 0: at once. Without it a person dispatches. */
  readonly dispatchAfterMs?: number;
}

/** A shipment for each confirmed order. Its owner decides whether a cancel or the dispatch came first. */
export function fulfilment({ dispatchAfterMs }: FulfilmentOptions = {}): Service {
  return service("fulfilment", {
    on: [
      when(
        orderConfirmed,
        (m) => [shipment(m.orderId)],
        (m, [held], out) => {
          if (held.value !== undefined) return;
          const waiting = created(m, out.nowMs);
          if (dispatchAfterMs === 0) return carryOut(held, dispatch(waiting, { orderId: m.orderId }, out.nowMs), out);
          out.save(held, waiting);
          if (dispatchAfterMs !== undefined) out.at(dispatchDue, out.nowMs + dispatchAfterMs);
        },
      ),
      when(
        orderCancelRequested,
        (m) => [shipment(m.orderId)],
        (m, [held], out) => {
          if (held.value === undefined) out.notYet(`Order ${m.orderId} has no shipment yet.`);
          else settle(held, cancel(held.value, m), out);
        },
      ),
      when(
        shipmentDispatch,
        (m) => [shipment(m.orderId)],
        (m, [held], out) => settle(held, dispatch(held.value, m, out.nowMs), out),
      ),
      when(
        shipmentDeliver,
        (m) => [shipment(m.orderId)],
        (m, [held], out) => carryOut(held, deliver(held.value, m.orderId, out.nowMs), out),
      ),
      whenDue(
        dispatchDue,
        (fired) => [shipment(fired.key)],
        (fired, [held], out) => {
          if (held.value?.status === "waiting")
            carryOut(held, dispatch(held.value, { orderId: fired.key }, out.nowMs), out);
        },
      ),
    ],
    sends: [shipmentCancelled, shipmentDelivered, shipmentDispatched, shipmentRefused],
  });

  /** Carries out what ends the waiting. */
  function settle(held: Held<Shipment>, decision: Decision, out: Out): void {
    if (decision.shipment !== undefined && dispatchAfterMs !== undefined) out.clear(dispatchDue);
    carryOut(held, decision, out);
  }
}

function carryOut(held: Held<Shipment>, decision: Decision, out: Out): void {
  if (decision.shipment !== undefined) out.save(held, decision.shipment);
  for (const { type, body } of decision.say) out.send(type, body);
}
