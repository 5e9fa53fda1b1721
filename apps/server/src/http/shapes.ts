import { currency, customer, id, sku } from "@waybill/contracts";
import { transitions } from "@waybill/orders";
import { type } from "arktype";
import { jsonSchema, type JsonSchema } from "./document/json-schema.ts";

// What the routes answer with, as the OpenAPI document tells it. Tests hold the answers to these.

const time = type("string").describe("a time of ISO 8601 in UTC");
const whole = type("number.integer >= 0");
const minor = whole.describe("minor units of the currency");

export const orderStatuses = Object.keys(transitions) as readonly (keyof typeof transitions)[];
const status = type.enumerated("accepted", ...orderStatuses);

const historyEntry = type({
  at: time,
  type: "string",
  "topic?": "string",
  partition: whole,
  "offset?": whole,
  id: "string",
});

const order = type({
  orderId: id,
  status,
  "reason?": "string",
  "detail?": "string",
  "problems?": type({ line: whole, sku, problem: "string" }).array(),
  "short?": type({ sku, wanted: whole, available: whole, short: whole }).array(),
  "attention?": type("string").describe("what a person must look at"),
  "cancelRefused?": "string",
  "conflicts?": whole,
  placedAt: time,
  "shippedAt?": time,
  "deliveredAt?": time,
  "tracking?": "string",
  customer,
  "country?": "string",
  currency,
  total: minor,
  captured: minor,
  refunded: minor,
  lines: type({ sku, quantity: whole, "unitPrice?": "string", "amount?": minor }).array(),
  history: historyEntry.array(),
});

const underWay = type({ orderId: id, status });

const listedOrder = type({
  orderId: id,
  status,
  placedAt: time,
  customer,
  currency,
  total: minor,
  captured: minor,
  refunded: minor,
  lines: whole.describe("how many lines it has"),
  "attention?": "string",
});

const next = type("string").describe("the path of the next page; absent on the last");
const product = type({ sku, title: "string", price: "string", currency, active: "boolean" });
const stock = type({ sku, onHand: whole, reserved: whole, available: whole, lowAt: whole });

const movement = type({
  at: time,
  type: "string",
  "quantity?": "number.integer",
  "onHand?": whole,
  "reserved?": whole,
  "orderId?": id,
  "adjustmentId?": id,
  "reason?": "string",
  partition: whole,
  offset: whole,
  id: "string",
});

const shipment = type({
  orderId: id,
  status: "'waiting' | 'dispatched' | 'delivered' | 'cancelled'",
  lines: type({ sku, quantity: whole }).array(),
  createdAt: time,
  "dispatchedAt?": time,
  "deliveredAt?": time,
  "tracking?": "string",
});

const laneTopic = type({
  topic: "string",
  position: whole.describe("the first offset that is not handled; the end when there is none"),
  end: whole.describe("one past the last offset"),
  lagMessages: whole.describe("counted up to 10,000"),
  lagMs: type("number >= 0").describe("how long ago the oldest unread message was published"),
  "blocked?": "string",
});

const lane = type({
  service: "string",
  lane: whole,
  "owner?": type("string").describe("host and process"),
  epoch: whole,
  "stopped?": "string",
  parkedKeys: whole,
  "effects?": whole,
  "time?": time,
  topics: laneTopic.array(),
});

export const shapes = {
  order: jsonSchema(order),
  underWay: jsonSchema(underWay),
  orderOrUnderWay: { anyOf: [jsonSchema(order), jsonSchema(underWay)] },
  orders: jsonSchema(type({ orders: listedOrder.array(), "next?": next })),
  product: jsonSchema(product),
  products: jsonSchema(type({ products: product.array(), "next?": next })),
  stock: jsonSchema(stock),
  adjusted: jsonSchema(type({ adjustmentId: id, sku, "stock?": stock })),
  movements: jsonSchema(type({ sku, movements: movement.array(), "next?": next })),
  shipment: jsonSchema(shipment),
  shipmentAsked: jsonSchema(type({ orderId: id, "status?": "string" })),
  lanes: jsonSchema(type({ lanes: lane.array() })),
  live: jsonSchema(type({ status: "'live'" })),
  ready: jsonSchema(type({ status: "'ready' | 'not ready'", "reasons?": "string[]", "books?": "string[]" })),
} as const satisfies Record<string, JsonSchema>;
