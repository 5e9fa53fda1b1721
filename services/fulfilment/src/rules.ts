import {
  assertTransition,
  say,
  shipmentCancelled,
  shipmentDelivered,
  shipmentDispatched,
  shipmentRefused,
  type OrderConfirmed,
  type OrderWithReason,
  type Said,
  type ShipmentDispatch,
} from "@waybill/contracts";

export type ShipmentStatus = keyof typeof transitions;

/** From each status the ones that may follow. A shipment begins waiting. */
export const transitions = {
  waiting: ["dispatched", "cancelled"],
  dispatched: ["delivered"],
  delivered: [],
  cancelled: [],
} as const;

/** The goods of one order on their way. */
export interface Shipment {
  readonly status: ShipmentStatus;
  readonly lines: OrderConfirmed["lines"];
  readonly createdAtMs: number;
  readonly dispatchedAtMs?: number;
  readonly deliveredAtMs?: number;
  readonly tracking?: string;
}

/** The shipment as it shall be, undefined when it stays as it is, and what to say. */
export interface Decision {
  readonly shipment?: Shipment;
  readonly say: readonly Said[];
}

const nothing: Decision = { say: [] };

export function created(m: OrderConfirmed, atMs: number): Shipment {
  return { status: "waiting", lines: m.lines, createdAtMs: atMs };
}

/** Sends a waiting shipment off. From here on nothing can be cancelled. */
export function dispatch(shipment: Shipment | undefined, m: ShipmentDispatch, atMs: number): Decision {
  if (shipment === undefined) return refused(m.orderId, "dispatch", "The order has no shipment: it is not confirmed.");
  if (shipment.status === "cancelled") return refused(m.orderId, "dispatch", "The shipment is cancelled.");
  if (shipment.status !== "waiting") return nothing;
  const tracking = m.tracking === undefined ? {} : { tracking: m.tracking };
  return {
    shipment: { ...became(shipment, "dispatched"), dispatchedAtMs: atMs, ...tracking },
    say: [say(shipmentDispatched, { orderId: m.orderId, ...tracking })],
  };
}

export function deliver(shipment: Shipment | undefined, orderId: string, atMs: number): Decision {
  if (shipment === undefined) return refused(orderId, "deliver", "The order has no shipment: it is not confirmed.");
  if (shipment.status === "delivered") return nothing;
  if (shipment.status !== "dispatched") return refused(orderId, "deliver", `The shipment is ${shipment.status}.`);
  return {
    shipment: { ...became(shipment, "delivered"), deliveredAtMs: atMs },
    say: [say(shipmentDelivered, { orderId })],
  };
}

/** Decides the race of a cancel with the dispatch. One that comes too late is answered by what was said already. */
export function cancel(shipment: Shipment, m: OrderWithReason): Decision {
  if (shipment.status !== "waiting") return nothing;
  return { shipment: became(shipment, "cancelled"), say: [say(shipmentCancelled, m)] };
}

function became(from: Shipment, to: ShipmentStatus): Shipment {
  assertTransition(transitions, from.status, to);
  return { ...from, status: to };
}

function refused(orderId: string, asked: "dispatch" | "deliver", reason: string): Decision {
  return { say: [say(shipmentRefused, { orderId, asked, reason })] };
}
