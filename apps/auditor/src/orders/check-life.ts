import type { Findings } from "../findings.ts";
import type { OrderFacts } from "./facts.ts";
import { broken, cancelOf } from "./say.ts";

/** What becomes of an order next: settled, on its way by itself, or waiting for a person who was told. */
type Next = "settled" | "on its way" | "a person" | undefined;

/** Law 8: each order is settled or has a next step in flight. */
export function checkLife(facts: OrderFacts, findings: Findings): void {
  const { order } = facts;
  if (order === undefined) return;
  findings.checked(8);
  const next = nextOf(facts);
  if (next === "settled") return;
  if (next !== undefined) return findings.underWay(8);
  const fix = cancelOf(facts);
  const remedy =
    fix === undefined
      ? "Look at the order's journey (waybill order), and tell orders by hand what it waits for."
      : "Cancel the order: goods and money are given back. Place it anew if the customer still wants it.";
  const told = `It is ${order.status}${moneyText(facts)}, and nothing is on its way that would take it further.`;
  broken(facts, findings, 8, told, remedy, fix);
}

function moneyText({ order, payment }: OrderFacts): string {
  return order?.status === "cancelled" && payment !== undefined ? ` with its payment ${payment.status}` : "";
}

function nextOf(facts: OrderFacts): Next {
  const { order, under, shipment } = facts;
  if (under.isParked) return "a person";
  const onItsWay = (...ways: boolean[]): Next => (ways.includes(true) ? "on its way" : undefined);
  switch (order!.status) {
    case "completed":
    case "rejected":
      return "settled";
    case "placed":
      return onItsWay(under.to("inventory"), under.to("orders"));
    case "reserved":
      return onItsWay(under.has("deadline"), under.has("deadlineLate"), under.to("orders"));
    case "confirmed":
      return onItsWay(shipment?.status === "waiting", under.to("fulfilment"), under.to("orders"));
    case "cancelling":
      return onItsWay(under.to("fulfilment"), under.to("orders"));
    case "shipped":
      return afterDispatch(facts);
    case "unpaid":
      return "a person";
    case "cancelled":
      return afterCancel(facts);
    default:
      return undefined;
  }
}

function afterDispatch({ under, payment }: OrderFacts): Next {
  if (under.to("orders") || under.to("payments") || under.has("gatewayCall")) return "on its way";
  return payment?.status === "attention" ? "a person" : undefined;
}

/** A cancelled order is settled when payments holds nothing of it any more. */
function afterCancel({ order, payment, under }: OrderFacts): Next {
  if (order!.moneySettled === true) return "settled";
  if (under.to("payments") || under.to("orders") || under.has("gatewayCall")) return "on its way";
  if (payment === undefined) return "settled";
  return payment.status === "attention" ? "a person" : undefined;
}
