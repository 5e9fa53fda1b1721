export { transitions, type Shipment, type ShipmentStatus } from "./rules.ts";
export { dispatchDue, fulfilment, shipment, type FulfilmentOptions } from "./service.ts";
