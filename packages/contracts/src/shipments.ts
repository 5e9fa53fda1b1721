import { command, event, type Frozen } from "@waybill/messaging";
import { type } from "arktype";
import { id, text } from "./fields.ts";
import { topics } from "./topics.ts";

const orderId = "0198c2a4-5f00-7000-8000-000000000001";
const subject = (body: { readonly orderId: string }) => body.orderId;
const asked = { topic: topics.shipmentsIn, subject };
const told = { topic: topics.shipments, subject };

const dispatchSchema = type({ "+": "reject", orderId: id, "tracking?": text });

/** The goods of an order have been handed to a carrier. */
export type ShipmentDispatch = Frozen<typeof dispatchSchema.infer>;

export const shipmentDispatch = command<ShipmentDispatch>("shipment.dispatch", {
  ...asked,
  schema: dispatchSchema,
  samples: [{ orderId }, { orderId, tracking: "1Z 999" }],
});

const deliverSchema = type({ "+": "reject", orderId: id });

/** The carrier has handed them over. */
export type ShipmentDeliver = Frozen<typeof deliverSchema.infer>;

export const shipmentDeliver = command<ShipmentDeliver>("shipment.deliver", {
  ...asked,
  schema: deliverSchema,
  samples: [{ orderId }],
});

const dispatchedSchema = type({ orderId: id, "tracking?": text });

/** The goods have left; nothing can be cancelled from here on. */
export type ShipmentDispatched = Frozen<typeof dispatchedSchema.infer>;

export const shipmentDispatched = event<ShipmentDispatched>("shipment.dispatched", {
  ...told,
  schema: dispatchedSchema,
  samples: [{ orderId }, { orderId, tracking: "1Z 999" }],
});

const deliveredSchema = type({ orderId: id });

/** The customer has them. */
export type ShipmentDelivered = Frozen<typeof deliveredSchema.infer>;

export const shipmentDelivered = event<ShipmentDelivered>("shipment.delivered", {
  ...told,
  schema: deliveredSchema,
  samples: [{ orderId }],
});

const cancelledSchema = type({ orderId: id, reason: text });

/** The goods stay here. */
export type ShipmentCancelled = Frozen<typeof cancelledSchema.infer>;

export const shipmentCancelled = event<ShipmentCancelled>("shipment.cancelled", {
  ...told,
  schema: cancelledSchema,
  samples: [{ orderId, reason: "Ordered by mistake." }],
});

const refusedSchema = type({ orderId: id, asked: "'dispatch' | 'deliver'", reason: text });

/** A shipment cannot be dispatched or delivered as asked. */
export type ShipmentRefused = Frozen<typeof refusedSchema.infer>;

export const shipmentRefused = event<ShipmentRefused>("shipment.refused", {
  ...told,
  schema: refusedSchema,
  samples: [{ orderId, asked: "dispatch", reason: "The shipment is cancelled." }],
});
