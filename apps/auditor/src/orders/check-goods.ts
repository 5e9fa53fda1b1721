import type { Findings } from "../findings.ts";
import type { OrderFacts } from "./facts.ts";
import { broken, cancelOf } from "./say.ts";

const look = "Look at the order's journey (waybill order), and at the lanes of orders and inventory (waybill lanes).";

/** Law 5: goods that are held have an order that will ship or release them, and an order's goods are where it says. */
export function checkGoods(facts: OrderFacts, findings: Findings): void {
  const { reservation } = facts;
  if (reservation !== undefined) findings.checked(5);
  if (reservation?.status === "held") checkHeld(facts, findings);
  if (reservation?.status === "shipped" && !hasLeft(facts)) {
    const told = `Its goods are off the books, and its shipment is ${facts.shipment?.status ?? "unknown"}.`;
    broken(facts, findings, 5, told, look);
  }
  if (reservation?.status === "released" && mustBeHeld(facts)) {
    const told = `The order is ${facts.order!.status}, and its goods were released.`;
    broken(facts, findings, 5, told, "Cancel the order, or ship it by hand.", cancelOf(facts));
  }
  checkDemand(facts, findings);
  if (reservation === undefined && mustBeHeld(facts)) {
    const told = `The order is ${facts.order!.status}, and nothing is reserved for it.`;
    broken(facts, findings, 5, told, "Cancel the order.", cancelOf(facts));
  }
}

/** What keeps goods held: undefined when something does, else the reason for a breach. */
function checkHeld(facts: OrderFacts, findings: Findings): void {
  const { order, under } = facts;
  if (under.to("inventory")) return findings.underWay(5);
  const quantity = facts.reservation!.lines.reduce((sum, line) => sum + line.quantity, 0);
  const held = `${quantity} pieces are held for it`;
  switch (order?.status) {
    case "placed":
      if (under.to("orders")) return findings.underWay(5);
      return broken(facts, findings, 5, `${held}, and orders was never told.`, look, cancelOf(facts));
    case "reserved":
      return checkDeadline(facts, findings, held);
    case "confirmed":
    case "cancelling":
      if (!hasLeft(facts)) return;
      break;
    default:
  }
  const why = order === undefined ? "there is no such order" : `the order is ${order.status}`;
  broken(facts, findings, 5, `${held}, but ${why} and nothing is on its way to inventory.`, look);
}

function checkDeadline(facts: OrderFacts, findings: Findings, held: string): void {
  const { under } = facts;
  if (under.to("orders")) return findings.underWay(5);
  if (under.has("deadlineLate")) {
    return broken(
      facts,
      findings,
      5,
      `${held}; its payment deadline has passed and nothing came of it.`,
      look,
      cancelOf(facts),
    );
  }
  if (under.has("deadline")) return;
  const told = `${held} without a payment deadline.`;
  broken(facts, findings, 5, told, "Cancel the order: that releases the goods.", cancelOf(facts));
}

function hasLeft({ shipment }: OrderFacts): boolean {
  return shipment?.status === "dispatched" || shipment?.status === "delivered";
}

/** An order in these states sells goods that nobody else may have. */
function mustBeHeld({ order, under }: OrderFacts): boolean {
  if (order === undefined || under.to("inventory") || under.to("orders")) return false;
  return ["reserved", "confirmed", "shipped", "unpaid", "completed"].includes(order.status);
}

function checkDemand(facts: OrderFacts, findings: Findings): void {
  const { order, reservation } = facts;
  if (order === undefined || reservation === undefined || reservation.lines.length === 0) return;
  const wanted = new Map<string, number>();
  for (const { sku, quantity } of order.lines) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
  const isSame =
    wanted.size === reservation.lines.length &&
    reservation.lines.every(({ sku, quantity }) => wanted.get(sku) === quantity);
  if (isSame) return;
  const text = (lines: Iterable<readonly [string, number]>) =>
    Array.from(lines, ([sku, quantity]) => `${quantity} × ${sku}`).join(", ");
  const reserved = text(reservation.lines.map(({ sku, quantity }) => [sku, quantity] as const));
  broken(facts, findings, 5, `It wants ${text(wanted)}, and ${reserved} is ${reservation.status} for it.`, look);
}
