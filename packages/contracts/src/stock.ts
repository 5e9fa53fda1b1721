import { command, event, type Frozen } from "@waybill/messaging";
import { type } from "arktype";
import { id, sku, text, units } from "./fields.ts";
import { shortSchema } from "./orders.ts";
import { topics } from "./topics.ts";

// The topic `stock` is the ledger: each movement of each SKU stands in one of its events, with what it left behind.
// What was there before follows from the quantity.

const orderId = "0198c2a4-5f00-7000-8000-000000000001";
const byOrder = {
  topic: topics.stock,
  subject: (body: { readonly orderId: string }) => body.orderId,
};
const bySku = { topic: topics.stock, subject: (body: { readonly sku: string }) => body.sku };
const delta = type("-1000000000 <= number.integer <= 1000000000").describe("a whole number of pieces up to a billion");

const adjustSchema = type({
  "+": "reject",
  /** The same id twice is one adjustment. */
  adjustmentId: id,
  sku,
  /** What comes in (above 0) or goes out (below). 0 is for changing only `lowAt`. */
  quantity: delta,
  reason: text,
  /** From this many available pieces down the SKU is low; 0: never. */
  "lowAt?": units,
});

export type StockAdjust = Frozen<typeof adjustSchema.infer>;

export const stockAdjust = command<StockAdjust>("stock.adjust", {
  topic: topics.stockIn,
  schema: adjustSchema,
  subject: (body) => body.sku,
  samples: [
    {
      adjustmentId: "delivery-17/85123A",
      sku: "85123A",
      quantity: 48,
      reason: "Delivery 17",
      lowAt: 12,
    },
  ],
});

const adjustedSchema = type({
  sku,
  adjustmentId: id,
  quantity: delta,
  reason: text,
  onHand: units,
  reserved: units,
});

/** A movement that no order made; `onHand` and `reserved` are what it left. */
export type StockAdjusted = Frozen<typeof adjustedSchema.infer>;

export const stockAdjusted = event<StockAdjusted>("stock.adjusted", {
  ...bySku,
  schema: adjustedSchema,
  samples: [
    {
      sku: "85123A",
      adjustmentId: "a-1",
      quantity: 48,
      reason: "Delivery 17",
      onHand: 50,
      reserved: 6,
    },
  ],
});

const adjustmentRefusedSchema = type({
  sku,
  adjustmentId: id,
  quantity: delta,
  reason: text,
  onHand: units,
  reserved: units,
});

/** An adjustment that would leave less than is reserved, or more than can be counted; `reason` says which. */
export type StockAdjustmentRefused = Frozen<typeof adjustmentRefusedSchema.infer>;

export const stockAdjustmentRefused = event<StockAdjustmentRefused>("stock.adjustment-refused", {
  ...bySku,
  schema: adjustmentRefusedSchema,
  samples: [
    {
      sku: "85123A",
      adjustmentId: "a-2",
      quantity: -5,
      reason: "6 pieces are reserved.",
      onHand: 6,
      reserved: 6,
    },
  ],
});

const movement = type({ sku, quantity: units, onHand: units, reserved: units });

/** So many pieces of a SKU, and what is on hand and reserved after it. */
export type Movement = Frozen<typeof movement.infer>;

const movedSchema = type({ orderId: id, lines: movement.array() });

/** All goods of an order moved as the event's name says; one line for each SKU. */
export type StockMoved = Frozen<typeof movedSchema.infer>;

const moved = (onHand: number, reserved: number) => ({
  ...byOrder,
  schema: movedSchema,
  samples: [{ orderId, lines: [{ sku: "85123A", quantity: 6, onHand, reserved }] }],
});

/** All goods of an order are held for it: `reserved` rose by `quantity`. */
export const stockReserved = event<StockMoved>("stock.reserved", moved(50, 6));
/** They are held no longer: `reserved` fell by `quantity`. */
export const stockReleased = event<StockMoved>("stock.released", moved(50, 0));
/** They have left: `onHand` and `reserved` fell by `quantity`. */
export const stockShipped = event<StockMoved>("stock.shipped", moved(44, 0));

const refusedSchema = type({ orderId: id, short: shortSchema.array() });

/** Some SKUs fall short, so none is held. */
export type StockRefused = Frozen<typeof refusedSchema.infer>;

export const stockRefused = event<StockRefused>("stock.refused", {
  ...byOrder,
  schema: refusedSchema,
  samples: [{ orderId, short: [{ sku: "85123A", wanted: 6, available: 4, short: 2 }] }],
});

const levelSchema = type({ sku, available: units, lowAt: units });

/** A SKU's available pieces have crossed a line. */
export type StockLevel = Frozen<typeof levelSchema.infer>;

const level = (available: number) => ({
  ...bySku,
  schema: levelSchema,
  samples: [{ sku: "85123A", available, lowAt: 12 }],
});

/** They fell to `lowAt` or below, and are not gone. */
export const stockLow = event<StockLevel>("stock.low", level(11));
/** There are none left. */
export const stockOut = event<StockLevel>("stock.out", level(0));
/** There are some again after there were none. */
export const stockBack = event<StockLevel>("stock.back", level(48));
