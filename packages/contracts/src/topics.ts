import { topic } from "@waybill/messaging";

/**
 * All topics of the shop. Doors are what HTTP, carriers and other languages write to; on the others only the service
 * that owns the facts speaks. Every message is keyed by the thing that it is about.
 */
export const topics = {
  /** Asked for by customers. */
  ordersIn: topic("orders-in", { door: true }),
  /** Orders that bring their own prices. Trusted: whoever may write here decides what a customer pays, so that the
   *  public HTTP interface never does, and a broker's access rules can keep everybody else out. */
  ordersImport: topic("orders-import", { door: true }),
  catalogueIn: topic("catalogue-in", { door: true }),
  stockIn: topic("stock-in", { door: true }),
  shipmentsIn: topic("shipments-in", { door: true }),
  /** An operator's word on a payment whose outcome nobody could find out. */
  paymentsIn: topic("payments-in", { door: true }),
  /** An operator's word on a letter that did not go out. */
  lettersIn: topic("letters-in", { door: true }),
  /** What operators have asked for; nobody reads it, it is a book. */
  operations: topic("operations", { door: true }),
  products: topic("products", { writers: ["catalogue"] }),
  orders: topic("orders", { writers: ["orders"] }),
  stock: topic("stock", { writers: ["inventory"] }),
  payments: topic("payments", { writers: ["payments"] }),
  shipments: topic("shipments", { writers: ["fulfilment"] }),
} as const;
