import { stockAdjusted, stockReleased, stockReserved, stockShipped, topics } from "@waybill/contracts";
import { reservation, stock } from "@waybill/inventory";
import { bodyText, type Position, type StateKind } from "@waybill/messaging";
import { payment, sums } from "@waybill/payments";
import { pagesTo, type Engine, type Stored } from "@waybill/server";
import type { StockLeft } from "./report.ts";

/** What the shop's other services have written down of a run, to hold against its orders. */
export interface Books {
  /** Orders whose goods are still held: neither shipped nor given back. */
  readonly stillReserved: Wrong;
  /** Minor units that were taken from customers, and not given back. */
  readonly capturedMinor: number;
  /** Minor units that are authorised, and neither taken nor let go. */
  readonly heldMinor: number;
  /** Movements that left less than nothing on hand, or more reserved than on hand. */
  readonly impossible: Wrong;
  /** Every unit in and out by the ledger of movements, by SKU. */
  readonly ledgerBySku: ReadonlyMap<string, number>;
}

/** How many there are, and the first few in words. */
export interface Wrong {
  count: number;
  readonly examples: string[];
}

const examplesMax = 5;
const pageMax = 500;
const fetchLimits = { messages: 2_048, bytes: 4_194_304 };

/** Reads the books page by page; memory grows with SKUs only. */
export async function readBooks(engine: Engine): Promise<Books> {
  const money = { capturedMinor: 0, heldMinor: 0 };
  for await (const { value } of pages(engine, "payments", payment)) {
    const { authorised, captured, released, refunded } = sums(value.ledger);
    money.capturedMinor += captured - refunded;
    money.heldMinor += authorised - captured - released;
  }
  const stillReserved = nothingWrong();
  for await (const { id, value } of pages(engine, "inventory", reservation)) {
    if (value.status === "held") note(stillReserved, id);
  }
  return { ...money, stillReserved, ...(await readLedger(engine)) };
}

/** The stock of every SKU as it is now. */
export async function stockNow(engine: Engine): Promise<readonly StockLeft[]> {
  const left: StockLeft[] = [];
  for await (const { id, value } of pages(engine, "inventory", stock)) {
    left.push({ sku: id, onHand: value.onHand, reserved: value.reserved });
  }
  return left;
}

async function* pages<T>(engine: Engine, service: string, kind: StateKind<T>): AsyncGenerator<Stored<T>> {
  let after = "";
  for (;;) {
    const page = await engine.durable.states(service, kind, after, pageMax);
    yield* page;
    if (page.length < pageMax) return;
    after = page.at(-1)!.id;
  }
}

interface Movement {
  readonly sku: string;
  readonly quantity: number;
  readonly onHand: number;
  readonly reserved: number;
}

/** What a movement of each event does to the units on hand, as a factor of its quantity. */
const onHandBy: ReadonlyMap<string, number> = new Map([
  [stockAdjusted.name, 1],
  [stockReserved.name, 0],
  [stockReleased.name, 0],
  [stockShipped.name, -1],
]);

/** Goes through every movement of stock from the first one on. */
async function readLedger(engine: Engine): Promise<Pick<Books, "impossible" | "ledgerBySku">> {
  const impossible = nothingWrong();
  const ledgerBySku = new Map<string, number>();
  const transport = engine.durable.transportOf(topics.stock.name);
  const bounds = await transport.bounds(topics.stock.name);
  const from: Position[] = bounds.map(({ topic, partition, logId, firstOffset }) => ({
    topic,
    partition,
    logId,
    nextOffset: firstOffset,
  }));
  for await (const messages of pagesTo(transport, from, bounds, fetchLimits)) {
    for (const { type, body } of messages) {
      const factor = onHandBy.get(type);
      if (factor === undefined) continue;
      for (const moved of movementsOf(JSON.parse(bodyText(body)))) {
        ledgerBySku.set(moved.sku, (ledgerBySku.get(moved.sku) ?? 0) + factor * moved.quantity);
        if (!isPossible(moved)) note(impossible, `${moved.sku}: ${moved.onHand} on hand, ${moved.reserved} reserved`);
      }
    }
  }
  return { impossible, ledgerBySku };
}

function movementsOf(body: unknown): readonly Movement[] {
  const { lines } = body as { lines?: readonly Movement[] };
  return lines ?? [body as Movement];
}

function isPossible({ onHand, reserved }: Movement): boolean {
  return reserved >= 0 && onHand >= reserved;
}

function nothingWrong(): Wrong {
  return { count: 0, examples: [] };
}

function note(wrong: Wrong, example: string): void {
  wrong.count += 1;
  if (wrong.examples.length < examplesMax) wrong.examples.push(example);
}
