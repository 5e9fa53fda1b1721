import type { Shipment } from "@waybill/fulfilment";
import type { Reservation } from "@waybill/inventory";
import type { Payment } from "@waybill/payments";
import type { Books, IdRange, StateText } from "../books.ts";
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
import { historyOf, orderOf } from "./order-text.ts";

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
 * each SKU. `tables` hold what the log tells of orders, each of a part of it.
 */
export async function readOrders(
  books: Books,
  ledger: GatewayLedger | undefined,
  tables: readonly OrderTable[],
  held: Map<string, number>,
  findings: Findings,
  range: IdRange = {},
): Promise<void> {
  const idOf = (row: Row) => ("reference" in row ? row.reference : row.id);
  const kinds = [
    ["orders", "order"],
    ["inventory", "reservation"],
    ["payments", "payment"],
    ["fulfilment", "shipment"],
  ] as const;
  const streams: { pages: AsyncIterable<readonly Row[]>; idOf: (row: Row) => string }[] = kinds.map(
    ([service, kind]) => ({ pages: books.states(service, kind, range), idOf }),
  );
  if (ledger !== undefined) streams.push({ pages: ledger.operations(range), idOf });

  await inStep(streams, (orderId, rows) => {
    if (!tables[0]!.concerns(orderId)) return;
    const [order, reservation, payment, shipment, operations] = rows;
    const { word, waiting } = met(tables, orderId);
    const text = (order?.[0] as StateText | undefined)?.body;
    const history = () => (text === undefined ? [] : historyOf(text));
    const facts: OrderFacts = {
      orderId,
      order: text === undefined ? undefined : orderOf(text),
      history,
      reservation: parsed<Reservation>(reservation),
      payment: parsed<Payment>(payment),
      shipment: parsed<Shipment>(shipment),
      operations: operations as readonly GatewayOperation[] | undefined,
      // Where the log does not hold an order's beginning, it cannot tell what the order is.
      told: isTold(word, text !== undefined, history, tables[0]!.cutMs) ? toldOf(word) : undefined,
      under: new UnderWay(waiting),
      hasLists: tables[0]!.hasLists,
    };
    if (facts.reservation?.status === "held") {
      for (const { sku, quantity } of facts.reservation.lines) held.set(sku, (held.get(sku) ?? 0) + quantity);
    }
    checkOrder(facts, ledger, findings);
  });
}

/** What all tables know of an order, each from its part of the log; notes that its states were found. */
function met(tables: readonly OrderTable[], orderId: string): { word: number; waiting: number } {
  let word = 0;
  let waiting = 0;
  for (const table of tables) {
    const place = table.find(orderId);
    if (place < 0) continue;
    word |= table.told(place);
    waiting |= table.waiting(place);
    table.tell(place, table.told(place) | told.met);
  }
  return { word, waiting };
}

/** Whether the log holds all that was ever said of an order. */
function isTold(word: number, isKnown: boolean, history: OrderFacts["history"], cutMs: number): boolean {
  if (cutMs === -Infinity) return true;
  return isKnown ? (history()[0]?.[4] ?? -Infinity) > cutMs : (word & told.begun) !== 0;
}

function parsed<T>(rows: readonly Row[] | undefined): T | undefined {
  const row = rows?.[0];
  return row === undefined ? undefined : (JSON.parse((row as StateText).body) as T);
}
