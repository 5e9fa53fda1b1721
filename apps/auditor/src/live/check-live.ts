import { amountText } from "@waybill/contracts";
import { sums } from "@waybill/payments";
import type { Findings } from "../findings.ts";
import { toldOf } from "../log/told.ts";
import { checkGoods } from "../orders/check-goods.ts";
import { checkLife } from "../orders/check-life.ts";
import { checkMoney } from "../orders/check-money.ts";
import { UnderWay, type OrderFacts } from "../orders/facts.ts";
import { broken } from "../orders/say.ts";
import type { LiveOrder, LivePayment } from "./live-books.ts";

/** All that can be told of one order from its states, the gateway's sums, and what the log said lately. */
export function checkLive(
  live: LiveOrder,
  payments: readonly LivePayment[] | undefined,
  word: number,
  findings: Findings,
): void {
  const history = () => live.order?.history ?? [];
  const facts: OrderFacts = {
    ...live,
    history,
    operations: undefined,
    told: undefined,
    hasLists: false,
    under: new UnderWay(live.waiting),
  };
  if (facts.order === undefined && word === 0) return;
  checkGoods(facts, findings);
  checkMoney(facts, findings);
  checkLife(facts, findings);
  checkSums(facts, payments, findings);
  const told = toldOf(word).order;
  const status = facts.order?.status === "unpaid" ? "shipped" : facts.order?.status;
  if (told === "unknown" || facts.order === undefined) return;
  findings.checked(9);
  if (status !== told) {
    broken(facts, findings, 9, `The order is ${status}; by the log it is ${told}.`, "Compare both with a backup.");
  }
}

function checkSums(facts: OrderFacts, payments: readonly LivePayment[] | undefined, findings: Findings): void {
  const { payment, under } = facts;
  if (payments === undefined || payment === undefined || payment.amount === 0) return;
  if (under.has("gatewayCall")) return findings.underWay(7);
  findings.checked(7);
  const ours = sums(payment.ledger);
  for (const what of ["captured", "refunded"] as const) {
    const theirs = payments.reduce((sum, one) => sum + one[what], 0);
    if (theirs === ours[what]) continue;
    const say = (minor: number) => amountText(minor, payment.currency);
    const told = `We have booked ${say(ours[what])} as ${what}; the gateway ${say(theirs)}.`;
    broken(facts, findings, 7, told, "Run waybill audit: it compares each operation.");
  }
}
