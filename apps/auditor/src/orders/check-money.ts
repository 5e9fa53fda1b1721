import { amountText } from "@waybill/contracts";
import { sums, type Payment } from "@waybill/payments";
import type { Findings } from "../findings.ts";
import type { OrderFacts } from "./facts.ts";
import { broken } from "./say.ts";

const byHand = "Look the payment up at the gateway, and give back what must not have been taken.";

/** Law 6: the money of one order stays within its bounds, and the order knows of it. */
export function checkMoney(facts: OrderFacts, findings: Findings): void {
  const { payment, order, under } = facts;
  if (payment === undefined) return;
  findings.checked(6);
  checkBounds(facts, payment, findings);
  if (order === undefined) {
    if (!under.to("orders")) broken(facts, findings, 6, "It has a payment, and there is no such order.", byHand);
    return;
  }
  if (payment.amount !== order.total || payment.currency !== order.currency) {
    const told = `The order costs ${amountText(order.total, order.currency)}; its payment is of ${amountText(payment.amount, payment.currency)}.`;
    broken(facts, findings, 6, told, byHand);
  }
  checkKnown(facts, payment, findings);
}

function checkBounds(facts: OrderFacts, payment: Payment, findings: Findings): void {
  const { authorised, captured, released, refunded } = sums(payment.ledger);
  const say = (minor: number) => amountText(minor, payment.currency);
  const wrong = (what: string) => broken(facts, findings, 6, what, byHand);
  if (captured > authorised) wrong(`${say(captured)} is captured, and only ${say(authorised)} authorised.`);
  else if (captured + released > authorised) {
    wrong(`${say(captured)} captured and ${say(released)} released are more than the ${say(authorised)} authorised.`);
  }
  if (refunded > captured) wrong(`${say(refunded)} is refunded, and only ${say(captured)} captured.`);
  const times = (kind: string) => payment.ledger.filter((entry) => entry.kind === kind).length;
  if (times("captured") - times("refunded") > 1) wrong(`It is captured ${times("captured")} times.`);
  const isKept = captured > refunded;
  const hasLeft = facts.shipment?.status === "dispatched" || facts.shipment?.status === "delivered";
  if (isKept && !hasLeft && payment.giveBack !== true) {
    wrong(
      `${say(captured)} is captured, and its goods have not left (its shipment is ${facts.shipment?.status ?? "unknown"}).`,
    );
  }
}

/** What the order knows of its money is what payments has, unless the news is on its way. */
function checkKnown(facts: OrderFacts, payment: Payment, findings: Findings): void {
  const { order, under } = facts;
  if (order === undefined) return;
  if (under.to("orders")) return findings.underWay(6);
  const { captured, refunded } = sums(payment.ledger);
  const say = (minor: number) => amountText(minor, payment.currency);
  if (order.captured !== captured) {
    broken(
      facts,
      findings,
      6,
      `The order knows of ${say(order.captured)} captured; payments of ${say(captured)}.`,
      byHand,
    );
  }
  if (order.refunded !== refunded) {
    broken(
      facts,
      findings,
      6,
      `The order knows of ${say(order.refunded)} refunded; payments of ${say(refunded)}.`,
      byHand,
    );
  }
  if (order.status === "completed" && captured - refunded !== order.total) {
    broken(
      facts,
      findings,
      6,
      `The order is completed, and ${say(captured - refunded)} of ${say(order.total)} is paid.`,
      byHand,
    );
  }
}
