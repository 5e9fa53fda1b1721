import {
  assertTransition,
  say,
  stockAdjusted,
  stockAdjustmentRefused,
  stockBack,
  stockLow,
  stockOut,
  stockRefused,
  stockReleased,
  stockReserved,
  stockShipped,
  type Movement,
  type Said,
  type ShortLine,
  type StockAdjust,
} from "@waybill/contracts";

/** The stock of one SKU. Always 0 ≤ reserved ≤ onHand; what can be sold is the difference. */
export interface Stock {
  readonly onHand: number;
  readonly reserved: number;
  /** At this many available pieces or fewer the SKU is low; 0: never. */
  readonly lowAt: number;
}

/** So many pieces of a SKU. */
export interface Demand {
  readonly sku: string;
  readonly quantity: number;
}

/** What became of an order's goods. */
export interface Reservation {
  readonly status: ReservationStatus;
  /** One for each SKU; empty when refused. */
  readonly lines: readonly Demand[];
}

export type ReservationStatus = keyof typeof transitions;

/** From each status the ones that may follow. A reservation begins held or refused. */
export const transitions = {
  held: ["released", "shipped"],
  refused: [],
  released: [],
  shipped: [],
} as const;

/** The most pieces of one SKU that can be counted. */
export const onHandMax = 1_000_000_000_000;

export function available(stock: Stock): number {
  return stock.onHand - stock.reserved;
}

/** The lines of an order with those of one SKU summed, in the order in which the SKUs first appear. */
export function demandOf(lines: readonly Demand[]): readonly Demand[] {
  const sums = new Map<string, number>();
  for (const { sku, quantity } of lines) sums.set(sku, (sums.get(sku) ?? 0) + quantity);
  return Array.from(sums, ([sku, quantity]) => ({ sku, quantity }));
}

/** What a rule wants: the reservation and the stocks as they shall be (in the order of the demand), and what to say. */
export interface Decision {
  readonly reservation: Reservation;
  readonly stocks: readonly Stock[];
  readonly say: readonly Said[];
}

/** Reserves all of an order's goods or none. `stocks[i]` belongs to `demand[i]`. */
export function reserve(orderId: string, demand: readonly Demand[], stocks: readonly Stock[]): Decision {
  const short = shortfall(demand, stocks);
  if (short.length > 0) {
    const reservation: Reservation = { status: "refused", lines: [] };
    return { reservation, stocks: [], say: [say(stockRefused, { orderId, short })] };
  }
  const after = stocks.map((stock, at) => moved(stock, 0, demand[at]!.quantity));
  const lines = movements(demand, after);
  return {
    reservation: { status: "held", lines: demand },
    stocks: after,
    say: [say(stockReserved, { orderId, lines }), ...crossings(demand, stocks, after)],
  };
}

function shortfall(demand: readonly Demand[], stocks: readonly Stock[]): readonly ShortLine[] {
  const short: ShortLine[] = [];
  demand.forEach(({ sku, quantity: wanted }, at) => {
    const left = available(stocks[at]!);
    if (wanted > left) short.push({ sku, wanted, available: left, short: wanted - left });
  });
  return short;
}

/** Gives the goods of a cancelled order back to the shelf; undefined when they are not held. */
export function release(orderId: string, from: Reservation, stocks: readonly Stock[]): Decision | undefined {
  if (from.status !== "held") return undefined;
  const after = stocks.map((stock, at) => moved(stock, 0, -from.lines[at]!.quantity));
  const lines = movements(from.lines, after);
  return {
    reservation: became(from, "released"),
    stocks: after,
    say: [say(stockReleased, { orderId, lines }), ...crossings(from.lines, stocks, after)],
  };
}

/** Takes the goods of a dispatched order off the books; undefined when that is done already. */
export function ship(orderId: string, from: Reservation, stocks: readonly Stock[]): Decision | undefined {
  if (from.status === "shipped") return undefined;
  if (from.status !== "held") {
    throw new Error(
      `Order ${orderId} was dispatched, but its goods are ${from.status}: count the shelf, then discard this.`,
    );
  }
  const after = stocks.map((stock, at) => moved(stock, -from.lines[at]!.quantity, -from.lines[at]!.quantity));
  return {
    reservation: became(from, "shipped"),
    stocks: after,
    say: [say(stockShipped, { orderId, lines: movements(from.lines, after) })],
  };
}

/**
 * Adjusts a SKU; one that is not known yet begins as `none`. An adjustment that would leave fewer pieces than are
 * reserved is refused, and said so: the orders that hold them must be cancelled first. Nothing is ever promised twice.
 */
export function adjust(
  known: Stock | undefined,
  none: Stock,
  m: StockAdjust,
): { readonly stock: Stock; readonly say: readonly Said[]; readonly refused?: string } {
  const stock = known ?? none;
  const onHand = stock.onHand + m.quantity;
  const refusal = adjustmentRefusal(stock, onHand);
  const { sku, adjustmentId, quantity } = m;
  if (refusal !== undefined) {
    const body = {
      sku,
      adjustmentId,
      quantity,
      reason: refusal,
      onHand: stock.onHand,
      reserved: stock.reserved,
    };
    return { stock, say: [say(stockAdjustmentRefused, body)], refused: refusal };
  }
  const after = { ...moved(stock, quantity, 0), lowAt: m.lowAt ?? stock.lowAt };
  const body = {
    sku,
    adjustmentId,
    quantity,
    reason: m.reason,
    onHand: after.onHand,
    reserved: after.reserved,
  };
  const crossed = known === undefined ? [] : crossing(sku, known, after);
  return { stock: after, say: [say(stockAdjusted, body), ...crossed] };
}

function adjustmentRefusal(stock: Stock, onHand: number): string | undefined {
  if (onHand < 0) return `Only ${stock.onHand} pieces are on hand.`;
  if (onHand < stock.reserved) return `${stock.reserved} of ${stock.onHand} pieces are reserved for orders.`;
  if (onHand > onHandMax) return `More than ${onHandMax} pieces cannot be counted.`;
  return undefined;
}

function became(from: Reservation, to: ReservationStatus): Reservation {
  assertTransition(transitions, from.status, to);
  return { ...from, status: to };
}

function moved(stock: Stock, onHandBy: number, reservedBy: number): Stock {
  const onHand = stock.onHand + onHandBy;
  const reserved = stock.reserved + reservedBy;
  if (reserved < 0 || onHand < reserved) {
    throw new Error(`Stock would be ${onHand} on hand with ${reserved} reserved: the books do not agree.`);
  }
  return { onHand, reserved, lowAt: stock.lowAt };
}

function movements(demand: readonly Demand[], after: readonly Stock[]): readonly Movement[] {
  return demand.map(({ sku, quantity }, at) => {
    const { onHand, reserved } = after[at]!;
    return { sku, quantity, onHand, reserved };
  });
}

function crossings(demand: readonly Demand[], before: readonly Stock[], after: readonly Stock[]): readonly Said[] {
  return demand.flatMap(({ sku }, at) => crossing(sku, before[at]!, after[at]!));
}

/** What to say when a SKU's available pieces cross a line: gone, low, or there again. */
function crossing(sku: string, before: Stock, after: Stock): readonly Said[] {
  const was = available(before);
  const is = available(after);
  const body = { sku, available: is, lowAt: after.lowAt };
  if (is === 0) return was > 0 ? [say(stockOut, body)] : [];
  const back = was === 0 ? [say(stockBack, body)] : [];
  const low = is <= after.lowAt && was > before.lowAt ? [say(stockLow, body)] : [];
  return [...back, ...low];
}
