import { amountText, type Currency } from "@waybill/contracts";
import type { LedgerEntry, Payment } from "@waybill/payments";
import type { Findings } from "../findings.ts";
import type { Fix } from "../laws.ts";
import type { OrderFacts } from "../orders/facts.ts";
import { broken } from "../orders/say.ts";
import type { GatewayLedger, GatewayOperation } from "./gateway-ledger.ts";

const lookUp = "Look both up by their ids, and book or give back the difference by hand.";

const bookedAs = { authorise: "authorised", capture: "captured", void: "voided", refund: "refunded" } as const;

/** How the gateway takes an operation back. */
const undoOf: Readonly<Partial<Record<GatewayOperation["kind"], "void" | "refund">>> = {
  authorise: "void",
  capture: "refund",
};

const kindOf = { authorised: "authorise", captured: "capture", voided: "void", refunded: "refund" } as const;

/** Laws 2 and 7 for one order: what we have booked is what the gateway did, and each of it once. */
export function checkLedger(facts: OrderFacts, ledger: LedgerEnd, findings: Findings): void {
  const { payment, operations = [] } = facts;
  const done = operations.filter(({ result, kind }) => result === "approved" && kind !== "expire");
  findings.checked(7, (payment?.ledger.length ?? 0) + operations.length);
  findings.checked(2, operations.length);
  checkOnce(facts, done, operations, ledger, findings);
  const known: string[] = [];
  const numbers: number[] = [];
  for (const entry of payment?.ledger ?? []) {
    if (entry.kind === "expired" || entry.paymentId === "free") continue;
    numbers.push(numberIn(entry.operationId, ledger.id));
    checkEntry(facts, payment!, entry, { ledger, operations, known }, findings);
  }
  if (done.every(({ n }) => numbers.includes(n))) return;
  const unbooked = done.filter(({ n }) => !numbers.includes(n));
  const righted = rightedAmong(unbooked, ledger);
  for (const operation of unbooked) {
    if (!righted.has(operation)) checkUnbooked(facts, operation, unbooked, ledger, findings);
  }
}

/** At most one capture that is not given back, and one authorisation that was not let go. */
function checkOnce(
  facts: OrderFacts,
  done: readonly GatewayOperation[],
  all: readonly GatewayOperation[],
  ledger: LedgerEnd,
  findings: Findings,
): void {
  const count = (kind: GatewayOperation["kind"]) => done.filter((operation) => operation.kind === kind).length;
  const lapsed = all.filter(({ kind }) => kind === "expire").length;
  const captures = count("capture") - count("refund");
  if (captures > 1) {
    const last = done.findLast(({ kind }) => kind === "capture")!;
    const told = `The gateway has taken its money ${count("capture")} times.`;
    broken(facts, findings, 2, told, "Give all but one back.", undo(last, "refund", ledger));
  }
  const authorised = count("authorise") - count("void") - lapsed - count("capture");
  if (authorised > 1) {
    const last = done.findLast(({ kind }) => kind === "authorise")!;
    const told = `The gateway holds its money ${authorised} times.`;
    broken(facts, findings, 2, told, "Let all but one go.", undo(last, "void", ledger));
  }
}

/** Which ledger it is, and how far it went when it was read. */
type LedgerEnd = Pick<GatewayLedger, "id" | "lastN">;

interface Against {
  readonly ledger: LedgerEnd;
  readonly operations: readonly GatewayOperation[];
  /** Ids of operations that are booked so far. */
  readonly known: string[];
}

function checkEntry(
  facts: OrderFacts,
  payment: Payment,
  entry: LedgerEntry,
  against: Against,
  findings: Findings,
): void {
  const { kind, operationId, minor } = entry;
  const say = `We have booked ${amountText(minor, payment.currency)} as ${kind} by ${operationId}`;
  if (against.known.includes(operationId)) {
    return broken(facts, findings, 2, `${say}, which is booked before.`, lookUp);
  }
  against.known.push(operationId);
  const number = numberIn(operationId, against.ledger.id);
  const operation = against.operations.find(({ n }) => n === number);
  if (operation === undefined) {
    // What happened after the gateway's ledger was read.
    if (number > against.ledger.lastN) return findings.underWay(7);
    return broken(facts, findings, 7, `${say}; the gateway has no such operation for this order.`, lookUp);
  }
  const wanted = kindOf[kind as keyof typeof kindOf];
  if (operation.kind !== wanted || operation.result !== "approved") {
    return broken(facts, findings, 7, `${say}; at the gateway it is a ${operation.kind}, ${operation.result}.`, lookUp);
  }
  if (operation.amount !== minor || operation.currency !== payment.currency) {
    const there = amountText(operation.amount, operation.currency as Currency);
    broken(facts, findings, 7, `${say}; the gateway says ${there}.`, lookUp);
  }
}

/** The number in an operation's id; 0 when it is not one of this ledger's. */
function numberIn(operationId: string, ledgerId: string): number {
  const prefix = `op_${ledgerId}_`;
  return operationId.startsWith(prefix) ? Number(operationId.slice(prefix.length)) : 0;
}

/** What an audit had the gateway give back, to the penny, and by what: nothing of it is left. */
function rightedAmong(unbooked: readonly GatewayOperation[], { id }: LedgerEnd): ReadonlySet<GatewayOperation> {
  const righted = new Set<GatewayOperation>();
  for (const undone of unbooked) {
    const how = undoOf[undone.kind];
    const by = unbooked.find(
      ({ kind, payment, amount, currency, auditKey }) =>
        auditKey !== null &&
        auditKey === (how && keyOf(undone, how, id)) &&
        kind === how &&
        payment === undone.payment &&
        amount === undone.amount &&
        currency === undone.currency,
    );
    if (by === undefined) continue;
    righted.add(undone).add(by);
    // The capture had used what was held.
    const held = unbooked.find(({ kind, payment }) => kind === "authorise" && payment === undone.payment);
    if (held !== undefined) righted.add(held);
  }
  return righted;
}

/** The gateway did something that we have not booked: on its way, or news that never came. */
function checkUnbooked(
  facts: OrderFacts,
  operation: GatewayOperation,
  unbooked: readonly GatewayOperation[],
  ledger: LedgerEnd,
  findings: Findings,
): void {
  const { payment, under } = facts;
  if (under.has("gatewayCall") || under.to("payments")) return findings.underWay(7);
  const amount = amountText(operation.amount, operation.currency as Currency);
  const told = `The gateway has done ${operation.kind} of ${amount} as op_${ledger.id}_${operation.n}, and we have not booked it.`;
  if (wasBooked(facts, operation, ledger)) {
    const remedy = "Payments had booked it, by all that was said of it since: put its state back from a backup.";
    return broken(facts, findings, 7, told, remedy);
  }
  if (payment?.status === "attention" && payment.pending === operation.kind) {
    const fix = resolve(facts.orderId, operation, ledger);
    return broken(facts, findings, 7, told, "Tell payments what the gateway knows.", fix);
  }
  const undone = undoOf[operation.kind];
  // What is captured can only be refunded.
  const isUsed =
    operation.kind === "authorise" &&
    unbooked.some(({ kind, payment: of }) => kind === "capture" && of === operation.payment);
  broken(facts, findings, 7, told, lookUp, undone && !isUsed ? undo(operation, undone, ledger) : undefined);
}

/**
 * Whether the shop once knew of this operation on its own payment, and only the state of payments does not any more. The money is rightly
 * where it is, so that nothing must be given back.
 */
function wasBooked({ told, order, payment }: OrderFacts, { kind, payment: n }: GatewayOperation, ledger: LedgerEnd) {
  const fact = bookedAs[kind as keyof typeof bookedAs];
  if (payment?.ledger.some((entry) => entry.kind === fact) === true) return false;
  if (payment?.paymentId !== undefined && payment.paymentId !== `pay_${ledger.id}_${n}`) return false;
  return told?.has(fact) === true || (kind === "capture" && (order?.captured ?? 0) > 0);
}

function resolve(orderId: string, { kind, payment, n }: GatewayOperation, { id }: LedgerEnd): Fix {
  const outcome = { kind: "done", paymentId: `pay_${id}_${payment}`, operationId: `op_${id}_${n}` };
  return { kind: "message", type: "payment.resolve", body: { orderId, operation: kind, outcome } };
}

function undo(operation: GatewayOperation, how: "void" | "refund", { id }: LedgerEnd): Fix {
  const { reference, amount, currency, payment } = operation;
  return {
    kind: "gateway",
    path: `/payments/${encodeURIComponent(`pay_${id}_${payment}`)}/${how}`,
    key: keyOf(operation, how, id),
    body: how === "void" ? { reference } : { reference, amount, currency },
  };
}

/** Names what is taken back, so that it is done once, and known for it. */
function keyOf({ n }: GatewayOperation, how: "void" | "refund", ledgerId: string): string {
  return `audit-${how}-op_${ledgerId}_${n}`;
}
