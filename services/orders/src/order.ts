import type { Currency, LineProblem, OrderRejected, OrderCancelled, ShortLine } from "@waybill/contracts";
import type { HistoryEntry } from "./history.ts";

export type OrderStatus = keyof typeof transitions;

/**
 * An order's life: from each status the ones that may follow. It begins placed or rejected. `cancelling`: fulfilment
 * decides whether the goods are still there. `unpaid`: the goods have left and the money could not be taken.
 */
export const transitions = {
  placed: ["reserved", "rejected", "cancelled"],
  reserved: ["confirmed", "cancelled"],
  confirmed: ["shipped", "cancelling"],
  cancelling: ["cancelled", "shipped"],
  shipped: ["completed", "unpaid"],
  unpaid: ["completed"],
  completed: [],
  rejected: [],
  cancelled: [],
} as const;

/** A line as ordered, with its price and its amount in minor units once the shop has priced it. */
export interface OrderLine {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPrice?: string;
  readonly amount?: number;
}

export interface PricedLine extends OrderLine {
  readonly unitPrice: string;
  readonly amount: number;
}

export interface Order {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly placedAtMs: number;
  readonly customer: { readonly id: string; readonly email: string };
  readonly currency: Currency;
  readonly country?: string;
  readonly payment: { readonly token: string };
  readonly lines: readonly OrderLine[];
  /** All money is in minor units. What the order costs; 0 while a line has no price. */
  readonly total: number;
  /** What payments has told of taking and of giving back. */
  readonly captured: number;
  readonly refunded: number;
  /** Whether the gateway was asked for, and seen, while it had not decided on the money. */
  readonly gateway?: "asked" | "seen";
  /** Why it is rejected or cancelled. */
  readonly reason?: OrderRejected["reason"] | OrderCancelled["reason"];
  /** The reason in words, from the customer or the gateway. */
  readonly detail?: string;
  readonly problems?: readonly LineProblem[];
  readonly short?: readonly ShortLine[];
  /** Why a cancel came too late. */
  readonly cancelRefused?: string;
  /** What a person must look at. */
  readonly attention?: string | undefined;
  /** It is cancelled, and payments holds nothing of it any more. */
  readonly moneySettled?: true;
  /** How often the same id was placed again with other content; such a one changes nothing else. */
  readonly conflicts?: number;
  readonly shippedAtMs?: number;
  readonly tracking?: string;
  readonly deliveredAtMs?: number;
  readonly history: readonly HistoryEntry[];
}

/** What orders knows of a product. */
export interface Product {
  readonly price: string;
  readonly currency: Currency;
  readonly active: boolean;
}
