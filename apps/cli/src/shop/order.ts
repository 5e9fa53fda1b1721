import { amountText } from "@waybill/contracts";
import { order as orderKind } from "@waybill/orders";
import { openJourneys, orderView, type JourneyEntry } from "@waybill/server";
import { CliError } from "../exit.ts";
import { Refusal, type Found } from "./found.ts";
import { table } from "../table.ts";
import { meaning, speakerOf, type OrderFacts } from "./words.ts";

/** An order as the server shows it, with the messages of its life. */
export interface OrderShown extends OrderFacts {
  readonly placedAt: string;
  readonly customer: { readonly id: string; readonly email: string };
  readonly country?: string;
  readonly history: readonly JourneyEntry[];
}

/** Reads an order from its server, or from the folder when no server can be asked. Throws when there is none. */
export async function readOrder(found: Found, orderId: string): Promise<OrderShown> {
  const told = await found.get(`/orders/${encodeURIComponent(orderId)}`).catch((error: unknown) => {
    if (error instanceof Refusal && error.status === 404) throw unknown(orderId);
    throw error instanceof Refusal ? new CliError("unavailable", error.message, error) : error;
  });
  if (told !== undefined) return shownOf(told, orderId);
  await using engine = await found.open();
  const order = await engine.durable.state("orders", orderKind, orderId);
  if (order === undefined) throw unknown(orderId);
  const view = orderView(order, await openJourneys(engine).of(order));
  // As the server would have sent it.
  return shownOf(JSON.parse(JSON.stringify(view)), orderId);
}

function shownOf(told: unknown, orderId: string): OrderShown {
  const order = told as Partial<OrderShown>;
  if (order.history !== undefined) return order as OrderShown;
  throw new CliError("failed", `Order ${orderId} is accepted and not placed yet; ask again in a moment.`);
}

function unknown(orderId: string): CliError {
  return new CliError("failed", `There is no order ${orderId}.`);
}

const head = ["time (UTC)", "", "who", "message", "topic/partition@offset", "what it means"];
const numbers = new Set([1]);

/** An order's journey for a terminal: what it is, then its messages as a timeline. */
export function orderText(order: OrderShown): string {
  const { orderId, status, customer, country, currency, total, captured, refunded, placedAt, history } = order;
  const firstMs = Date.parse(history[0]?.at ?? placedAt);
  const rows = history.map((entry) => [
    entry.at.slice(0, 23).replace("T", " "),
    `+${(Date.parse(entry.at) - firstMs).toLocaleString("en-GB")} ms`,
    speakerOf(entry.type),
    entry.type,
    placeOf(entry),
    meaning(entry.type, order),
  ]);
  const money = [`total ${amountText(total, currency)}`, `taken ${amountText(captured, currency)}`];
  if (refunded > 0) money.push(`given back ${amountText(refunded, currency)}`);
  const where = country === undefined ? "" : `, ${country}`;
  return [
    `Order ${orderId}: ${status}`,
    `  placed ${placedAt} by customer ${customer.id}${where}; ${money.join(", ")}`,
    ...(order.attention === undefined ? [] : [`  A person must look at it: ${order.attention}`]),
    "",
    table(head, rows, numbers),
  ].join("\n");
}

function placeOf({ topic, partition, offset }: JourneyEntry): string {
  return topic === undefined ? "" : `${topic}/${partition}@${offset ?? "?"}`;
}
