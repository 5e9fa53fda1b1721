import { orderCancelled, orderPlaced, shipmentDispatched, stockAdjust } from "@waybill/contracts";
import { specification } from "@waybill/messaging/specification";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { inventory, reservation, stock, transitions, type ReservationStatus } from "../src/index.ts";

const skus = ["mug", "cup", "jar"];
const orderId = fc.constantFrom("o-1", "o-2", "o-3", "o-4");
const line = fc.record({ sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: 12 }) });

type Step =
  | { readonly does: "place"; readonly orderId: string; readonly lines: readonly { sku: string; quantity: number }[] }
  | { readonly does: "cancel"; readonly orderId: string }
  | { readonly does: "ship"; readonly orderId: string }
  | { readonly does: "adjust"; readonly id: number; readonly sku: string; readonly quantity: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant("place" as const), orderId, lines: fc.array(line, { minLength: 1, maxLength: 4 }) }),
  fc.record({ does: fc.constant("cancel" as const), orderId }),
  fc.record({ does: fc.constant("ship" as const), orderId }),
  fc.record({
    does: fc.constant("adjust" as const),
    id: fc.nat(9),
    sku: fc.constantFrom(...skus),
    quantity: fc.integer({ min: -15, max: 30 }),
  }),
);

const customer = { id: "c", email: "c@example.org" };

function take(shop: ReturnType<typeof specification>, next: Step) {
  if (next.does === "place") {
    const lines = next.lines.map((of) => ({ ...of, unitPrice: "1", amount: 0 }));
    return shop.when(orderPlaced, {
      orderId: next.orderId,
      placedAtMs: 0,
      customerId: "c",
      currency: "GBP",
      lines,
      total: 0,
    });
  }
  if (next.does === "cancel") {
    return shop.when(orderCancelled, { orderId: next.orderId, customer, reason: "requested", detail: "No." });
  }
  if (next.does === "ship") return shop.when(shipmentDispatched, { orderId: next.orderId });
  // One id means one adjustment, so that what comes under it is always the same.
  const { id, sku, quantity } = next;
  return shop.when(stockAdjust, { adjustmentId: `a-${id}-${sku}-${quantity}`, sku, quantity, reason: "Count" });
}

/** What the ledger says that each SKU should have. */
function ledger() {
  const books = new Map(skus.map((sku) => [sku, { onHand: 0, reserved: 0 }]));
  return {
    of: (sku: string) => books.get(sku)!,
    note({ type, body }: { readonly type: string; readonly body: unknown }): void {
      const { lines = [body], quantity = 0 } = body as { lines?: unknown[]; quantity?: number };
      for (const entry of lines as { sku: string; quantity?: number }[]) {
        const book = books.get(entry.sku)!;
        const pieces = entry.quantity ?? quantity;
        if (type === "stock.adjusted") book.onHand += pieces;
        if (type === "stock.reserved") book.reserved += pieces;
        if (type === "stock.released" || type === "stock.shipped") book.reserved -= pieces;
        if (type === "stock.shipped") book.onHand -= pieces;
        if ("onHand" in entry && type !== "stock.adjustment-refused") expect(entry).toMatchObject(book);
      }
    },
  };
}

test("any sequence of messages keeps 0 ≤ reserved ≤ on hand, ends stay ends, and the ledger adds up to the stock", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const shop = specification(inventory());
      const books = ledger();
      const statusOf = (id: string) => shop.state(reservation(id))?.status;
      for (const next of steps) {
        const before = next.does === "adjust" ? undefined : statusOf(next.orderId);
        try {
          for (const told of take(shop, next).sent) books.note(told);
        } catch (error) {
          // A dispatch of what was never held waits, or is a matter for a person; it must leave no trace.
          expect(next.does).toBe("ship");
          expect(before).not.toBe("held");
          expect(error).toBeInstanceOf(Error);
        }
        if (before !== undefined && next.does !== "adjust") {
          const after = statusOf(next.orderId) as ReservationStatus;
          expect([before, ...transitions[before]]).toContain(after);
        }
        for (const sku of skus) {
          const { onHand, reserved } = shop.state(stock(sku)) ?? { onHand: 0, reserved: 0 };
          expect(reserved).toBeGreaterThanOrEqual(0);
          expect(onHand).toBeGreaterThanOrEqual(reserved);
          expect({ onHand, reserved }).toEqual(books.of(sku));
        }
      }
    }),
  );
});
