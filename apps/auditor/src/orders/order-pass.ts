import type { Shipment } from "@waybill/fulfilment";
import type { Reservation } from "@waybill/inventory";
import type { Order } from "@waybill/orders";
import type { Payment } from "@waybill/payments";
import type { Books, StateText } from "../books.ts";
import type { Findings } from "../findings.ts";
import type { OrderTable } from "../log/order-table.ts";
import { told, toldOf } from "../log/told.ts";
import { checkLedger } from "../money/check-ledger.ts";
import type { GatewayLedger, GatewayOperation } from "../money/gateway-ledger.ts";
import { inStep } from "../read/in-step.ts";
import { checkGoods } from "./check-goods.ts";
import { checkLife } from "./check-life.ts";
import { checkMoney } from "./check-money.ts";
import { checkTold } from "./check-told.ts";
import { UnderWay, type OrderFacts } from "./facts.ts";

/** Checks one order against all laws that concern it. */
export function checkOrder(facts: OrderFacts, ledger: GatewayLedger | undefined, findings: Findings): void {
  checkTold(facts, findings);
  checkGoods(facts, findings);
  checkMoney(facts, findings);
  checkLife(facts, findings);
  if (ledger !== undefined) checkLedger(facts, ledger, findings);
}

type Row = StateText | GatewayOperation;

/**
 * Goes through all orders by id, with what each service and the gateway have of them. Adds up in `held` what is held of
 * each SKU. Returns how many orders the log tells of whose states are nowhere.
 */
export async function readOrders(
  books: Books,
  ledger: GatewayLedger | undefined,
  table: OrderTable,
  held: Map<string, number>,
  findings: Findings,
): Promise<void> {
  const idOf = (row: Row) => ("reference" in row ? row.reference : row.id);
  const kinds = [
    ["orders", "order"],
    ["inventory", "reservation"],
    ["payments", "payment"],
    ["fulfilment", "shipment"],
  ] as const;
  const streams: { pages: AsyncIterable<readonly Row[]>; idOf: (row: Row) => string }[] = kinds.map(
    ([service, kind]) => ({ pages: books.states(service, kind), idOf }),
  );
  if (ledger !== undefined) streams.push({ pages: ledger.operations(), idOf });

  await inStep(streams, (orderId, rows) => {
    if (!table.concerns(orderId)) return;
    const [order, reservation, payment, shipment, operations] = rows;
    const place = table.find(orderId);
    const word = table.told(place);
    if (place >= 0) table.tell(place, word | told.met);
    const known = parsed<Order>(order);
    const facts: OrderFacts = {
      orderId,
      order: known,
      reservation: parsed<Reservation>(reservation),
      payment: parsed<Payment>(payment),
      shipment: parsed<Shipment>(shipment),
      operations: operations as readonly GatewayOperation[] | undefined,
      // Where the log does not hold an order's beginning, it cannot tell what the order is.
      told: isTold(word, known, table.cutMs) ? toldOf(word) : undefined,
      under: new UnderWay(table.waiting(place)),
    };
    if (facts.reservation?.status === "held") {
      for (const { sku, quantity } of facts.reservation.lines) held.set(sku, (held.get(sku) ?? 0) + quantity);
    }
    checkOrder(facts, ledger, findings);
  });
}

/** Whether the log holds all that was ever said of an order. */
export function isTold(word: number, order: Order | undefined, cutMs: number): boolean {
  if (cutMs === -Infinity) return true;
  if (order === undefined) return (word & told.begun) !== 0;
  return (order.history[0]?.[4] ?? -Infinity) > cutMs;
}

function parsed<T>(rows: readonly Row[] | undefined): T | undefined {
  const row = rows?.[0];
  return row === undefined ? undefined : (JSON.parse((row as StateText).body) as T);
}
