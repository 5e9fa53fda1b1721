import {
  orderCancelled,
  orderPlaced,
  shipmentDispatched,
  stockAdjust,
  stockAdjusted,
  stockAdjustmentRefused,
  stockBack,
  stockLow,
  stockOut,
  stockRefused,
  stockReleased,
  stockReserved,
  stockShipped,
} from "@waybill/contracts";
import { service, state, when, type Held, type Out, type Service } from "@waybill/messaging";
import {
  adjust,
  demandOf,
  release,
  reserve,
  ship,
  type Decision,
  type Demand,
  type Reservation,
  type Stock,
} from "./rules.ts";

/** By SKU. */
export const stock = state<Stock>("stock");
/** By the order's id. */
export const reservation = state<Reservation>("reservation");
/** By the adjustment's id: that it was decided, so that a repeat is none, and why it was refused if it was. */
export const adjustment = state<{ readonly sku: string; readonly refused?: string }>("adjustment");

export interface InventoryOptions {
  /** At how many available pieces a SKU counts as low when nobody has said. Default 5. */
  readonly lowAt?: number;
}

/**
 * Stock by SKU. Orders share SKUs, so one lane owns all of them: all or nothing is then an `if`, and a SKU that
 * every order wants costs less than many that few want.
 */
export function inventory(options: InventoryOptions = {}): Service {
  const none: Stock = { onHand: 0, reserved: 0, lowAt: options.lowAt ?? 5 };
  const valuesOf = (stocks: readonly Held<Stock>[]) => stocks.map(({ value }) => value ?? none);
  return service("inventory", {
    lanesMax: 1,
    on: [
      when(
        orderPlaced,
        (m) => [reservation(m.orderId)],
        (m, [held]) => (held.value === undefined ? stocksOf(demandOf(m.lines)) : []),
        (m, [held], stocks, out) => {
          if (held.value !== undefined) return;
          carryOut(held, stocks, reserve(m.orderId, demandOf(m.lines), valuesOf(stocks)), out);
        },
      ),
      when(
        orderCancelled,
        (m) => [reservation(m.orderId)],
        (_, [held]) => stocksOf(held.value?.lines ?? []),
        (m, [held], stocks, out) => {
          if (held.value !== undefined) carryOut(held, stocks, release(m.orderId, held.value, valuesOf(stocks)), out);
        },
      ),
      when(
        shipmentDispatched,
        (m) => [reservation(m.orderId)],
        (_, [held]) => stocksOf(held.value?.lines ?? []),
        (m, [held], stocks, out) => {
          if (held.value === undefined) out.notYet(`Order ${m.orderId} has no reservation yet.`);
          else carryOut(held, stocks, ship(m.orderId, held.value, valuesOf(stocks)), out);
        },
      ),
      when(
        stockAdjust,
        (m) => [adjustment(m.adjustmentId), stock(m.sku)],
        (m, [decided, held], out) => {
          if (decided.value !== undefined) return;
          const decision = adjust(held.value, none, m);
          const { refused } = decision;
          out.save(decided, refused === undefined ? { sku: m.sku } : { sku: m.sku, refused });
          out.save(held, decision.stock);
          for (const { type, body } of decision.say) out.send(type, body);
        },
      ),
    ],
    sends: [
      stockAdjusted,
      stockAdjustmentRefused,
      stockBack,
      stockLow,
      stockOut,
      stockRefused,
      stockReleased,
      stockReserved,
      stockShipped,
    ],
  });
}

function stocksOf(demand: readonly Demand[]) {
  return demand.map(({ sku }) => stock(sku));
}

function carryOut(
  held: Held<Reservation>,
  stocks: readonly Held<Stock>[],
  decision: Decision | undefined,
  out: Out,
): void {
  if (decision === undefined) return;
  out.save(held, decision.reservation);
  decision.stocks.forEach((value, at) => out.save(stocks[at]!, value));
  for (const { type, body } of decision.say) out.send(type, body);
}
