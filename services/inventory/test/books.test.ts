import { orderCancelled, orderPlaced, shipmentDispatched, stockAdjust } from "@waybill/contracts";
import { specification } from "@waybill/messaging/specification";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { inventory, reservation, stock, transitions } from "../src/index.ts";

const skus = ["mug", "cup", "jar"];
const orderIds = ["o-1", "o-2", "o-3", "o-4"];
const orderId = fc.constantFrom(...orderIds);
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

interface Told {
  readonly type: string;
  readonly body: unknown;
}

/** A movement as an event tells it, and what it claims to have left. */
interface Entry {
  readonly sku: string;
  readonly quantity: number;
  readonly onHand: number;
  readonly reserved: number;
}

const signs: Readonly<Record<string, readonly [onHand: number, reserved: number]>> = {
  "stock.adjusted": [1, 0],
  "stock.reserved": [0, 1],
  "stock.released": [0, -1],
  "stock.shipped": [-1, -1],
};

const entriesOf = (body: unknown) => (body as { lines?: readonly Entry[] }).lines ?? [body as Entry];

/** Adds up the movements from nothing, and gives each claim beside what the sum says. */
function ledger() {
  const books = new Map(skus.map((sku) => [sku, { onHand: 0, reserved: 0 }]));
  const note = ({ type, body }: Told) => {
    const sign = signs[type];
    if (sign === undefined) return [];
    return entriesOf(body).map(({ sku, quantity, onHand, reserved }) => {
      const { onHand: stood, reserved: held } = books.get(sku)!;
      const sum = { onHand: stood + sign[0] * quantity, reserved: held + sign[1] * quantity };
      books.set(sku, sum);
      return { claim: { onHand, reserved }, sum };
    });
  };
  return { of: (sku: string) => books.get(sku)!, note };
}

/** How many pieces of a SKU all reservations hold together. */
function heldOf(shop: ReturnType<typeof specification>, sku: string): number {
  const reservations = orderIds.map((id) => shop.state(reservation(id)));
  const held = reservations.flatMap((known) => (known?.status === "held" ? known.lines : []));
  return held.reduce((sum, line) => (line.sku === sku ? sum + line.quantity : sum), 0);
}

/** What is told, or why not. */
function attempted(shop: ReturnType<typeof specification>, next: Step): { told: readonly Told[]; failure?: unknown } {
  try {
    return { told: take(shop, next).sent };
  } catch (failure) {
    return { told: [], failure };
  }
}

test("any sequence of messages keeps 0 ≤ reserved ≤ on hand, ends stay ends, and the ledger adds up to the stock", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const shop = specification(inventory());
      const books = ledger();
      const statusOf = (of: Step) => ("orderId" in of ? shop.state(reservation(of.orderId))?.status : undefined);
      for (const next of steps) {
        const before = statusOf(next);
        const { told, failure } = attempted(shop, next);
        // Only the dispatch of what is not held fails: it waits, or is a matter for a person.
        expect(failure === undefined || (next.does === "ship" && before !== "held")).toBe(true);
        for (const { claim, sum } of told.flatMap(books.note)) expect(claim).toEqual(sum);
        const after = statusOf(next);
        expect(before === undefined ? [after] : [before, ...transitions[before]]).toContain(after);
        for (const sku of skus) {
          const { onHand, reserved } = shop.state(stock(sku)) ?? { onHand: 0, reserved: 0 };
          expect(reserved).toBeGreaterThanOrEqual(0);
          expect(onHand).toBeGreaterThanOrEqual(reserved);
          expect({ onHand, reserved }).toEqual(books.of(sku));
          expect(reserved).toBe(heldOf(shop, sku));
        }
      }
    }),
  );
});
