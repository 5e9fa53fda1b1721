import type { Findings } from "../findings.ts";
import type { ToldStatus, ToldStock, ToldShipment, Told } from "../log/told.ts";
import type { OrderFacts } from "./facts.ts";
import { broken } from "./say.ts";

const rebuild =
  "One of the two was changed by hand, or a backup of one was put back. Compare both with a backup from before.";

/** Law 9, and of law 1 that what was asked for at a door is there: each service's state equals what its events tell. */
export function checkTold(facts: OrderFacts, findings: Findings): void {
  const { told, order, reservation, shipment, payment } = facts;
  if (told === undefined) return;
  if (order === undefined) return checkMissing(facts, told, findings);
  findings.checked(1);
  if (!told.has("asked")) {
    broken(facts, findings, 1, "The log does not hold the message that asked for it.", rebuild);
  }
  findings.checked(9, 4);
  compare(facts, findings, "The order", order.status === "unpaid" ? "shipped" : order.status, told.order);
  compare(facts, findings, "Its reservation", stockOf(reservation?.status), told.stock);
  compare(facts, findings, "Its shipment", shipmentOf(shipment?.status), told.shipment);
  checkLists(facts, told, findings);
  if (payment !== undefined || moneyTold.some(([fact]) => told.has(fact))) compareMoney(facts, told, findings);
}

function checkMissing(facts: OrderFacts, told: Told, findings: Findings): void {
  if (facts.under.to("orders")) return findings.underWay(1);
  if (told.has("asked") || told.has("begun")) {
    const what = told.has("begun")
      ? `The log tells that it is ${told.order}`
      : "Orders has taken the message that asks for it";
    broken(
      facts,
      findings,
      1,
      `${what}, and there is no state of it.`,
      "Put it back from a backup, or place it anew, unless somebody discarded the message on purpose.",
    );
  }
}

/** An order that was placed, and so has its prices, stands in the list of all and in its customer's. */
function checkLists(facts: OrderFacts, told: Told, findings: Findings): void {
  const { order, under, hasLists } = facts;
  if (!hasLists || order?.lines[0]?.amount === undefined) return;
  if (under.to("listing")) return findings.underWay(9);
  findings.checked(9);
  const missing = [
    ...(told.has("listed") ? [] : ["all orders"]),
    ...(told.has("listedToCustomer") ? [] : [`the orders of customer ${order.customer.id}`]),
  ];
  if (missing.length === 0) return;
  const what = `It does not stand in the list of ${missing.join(" and of ")}.`;
  broken(facts, findings, 9, what, "Delete the states of the service listing, and let it read its topic anew.");
}

function compare(
  facts: OrderFacts,
  findings: Findings,
  what: string,
  is: string,
  told: ToldStatus | ToldStock | ToldShipment,
): void {
  if (is === told) return;
  broken(facts, findings, 9, `${what} is ${named(is)}; by the log it is ${named(told)}.`, rebuild);
}

function named(status: string): string {
  return status === "unknown" ? "not there" : status;
}

function stockOf(status: string | undefined): string {
  return status ?? "unknown";
}

/** That a shipment waits is no event. */
function shipmentOf(status: string | undefined): string {
  return status === undefined || status === "waiting" ? "unknown" : status;
}

const moneyTold = [
  ["captured", "captured"],
  ["refunded", "refunded"],
] as const;

function compareMoney(facts: OrderFacts, told: Told, findings: Findings): void {
  const { payment } = facts;
  for (const [fact, kind] of moneyTold) {
    const isBooked = payment?.ledger.some((entry) => entry.kind === kind) === true;
    if (isBooked === told.has(fact)) continue;
    const text = isBooked
      ? `is booked as ${kind}, and the log does not say so`
      : `is not booked as ${kind}, and the log says so`;
    broken(facts, findings, 9, `Its money ${text}.`, rebuild);
  }
  for (const status of ["declined", "voided"] as const) {
    if ((payment?.status === status) === told.has(status)) continue;
    const text = told.has(status) ? `by the log it is ${status}` : `the log does not say so`;
    broken(facts, findings, 9, `Its payment is ${payment?.status ?? "not there"}; ${text}.`, rebuild);
  }
}
