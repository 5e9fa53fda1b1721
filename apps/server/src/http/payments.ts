import {
  amount,
  currency,
  id,
  paymentResolve,
  paymentSettle,
  text,
  topics,
  type PaymentResolve,
} from "@waybill/contracts";
import { payment as paymentKind, sums, type Payment } from "@waybill/payments";
import { type } from "arktype";
import type { FastifyInstance } from "fastify";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { membersOf, valueOf } from "./body.ts";
import type { Api } from "./document/api.ts";
import { jsonSchema, without } from "./document/json-schema.ts";
import { applied, waitOf } from "./headers.ts";
import { Problem } from "./problem.ts";

/** How long a request waits for payments when the client does not say, in seconds. */
const waitSecondsDefault = 5;
/** Some of what payments decides is said by nobody: so often it is looked at. */
const lookEveryMs = 250;

const resolveBody = type({ "+": "reject", reason: text });

type OfOrder = { Params: { id: string } };

/** The payments of orders: where they stand, and what a person has found out of one that the gateway cannot tell of. */
export function addPayments(app: FastifyInstance, { engine, door, watch }: HttpParts): void {
  async function paymentOf(orderId: string): Promise<Payment> {
    const found = await engine.durable.state("payments", paymentKind, orderId);
    if (found !== undefined) return found;
    throw new Problem(
      "not-found",
      `Order ${orderId} has no payment: its goods are not held, or there is no such order.`,
    );
  }

  app.get<OfOrder>("/payments/:id", { config: { api: reading } }, async (request, reply) =>
    answer(reply, 200, view(await paymentOf(request.params.id))),
  );

  app.post<OfOrder>("/payments/:id/resolve", { config: { api: resolving } }, async (request, reply) => {
    const orderId = request.params.id;
    const { reason, ...said } = membersOf(request.body);
    const settle = valueOf(resolveBody, reason === undefined ? {} : { reason });
    const resolve = valueOf(paymentResolve.schema, { ...said, orderId });
    refuseOwnId(said);
    const before = await paymentOf(orderId);
    if (!waitsFor(before, resolve)) throw settled(before, resolve);
    const { operation, outcome } = resolve;
    const by = request.caller?.id ?? "local";
    await door.publish(paymentSettle, { orderId, operation, outcome: outcome.kind, by, reason: settle.reason });
    await door.publish(paymentResolve, resolve, { traceparent: request.traceparent });
    const waitSeconds = waitOf(request.headers.prefer);
    const after = await resolved(resolve, waitSeconds ?? waitSecondsDefault);
    return answer(reply, waitsFor(after, resolve) ? 202 : 200, view(after), applied(waitSeconds));
  });

  /** The payment once it waits no longer, or as it is when the time is over. */
  async function resolved(resolve: PaymentResolve, seconds: number): Promise<Payment> {
    const { orderId } = resolve;
    for (let leftMs = seconds * 1_000; leftMs > 0; leftMs -= lookEveryMs) {
      const found = await watch.until(topics.payments, orderId, Math.min(leftMs, lookEveryMs), async () => {
        const now = await paymentOf(orderId);
        return waitsFor(now, resolve) ? undefined : now;
      });
      if (found !== undefined) return found;
    }
    return paymentOf(orderId);
  }
}

/** The order's id stands in the path. */
function refuseOwnId(said: Readonly<Record<string, unknown>>): void {
  if (!Object.hasOwn(said, "orderId")) return;
  const errors = [{ field: "orderId", reason: "is set by the shop; leave it out" }];
  throw new Problem("fields-invalid", "orderId: is set by the shop; leave it out.", { errors });
}

function waitsFor({ status, pending }: Payment, { operation }: PaymentResolve): boolean {
  return status === "attention" && pending === operation;
}

function settled({ status, pending }: Payment, { orderId, operation }: PaymentResolve): Problem {
  const waits = status === "attention" ? `waits for a word on its ${pending ?? "payment"}` : `is ${status}`;
  const detail = `The payment of order ${orderId} ${waits}: nobody is asked about its ${operation}.`;
  return new Problem("payment-settled", detail, { more: { orderId, paymentStatus: status } });
}

/** A payment without the card's token. */
function view({ orderId, status, amount: total, currency: of, paymentId, pending, ledger }: Payment) {
  const entries = ledger.map(({ kind, minor, paymentId: payment, operationId, atMs }) => {
    return { kind, amount: minor, paymentId: payment, operationId, at: new Date(atMs).toISOString() };
  });
  return { orderId, status, amount: total, currency: of, paymentId, pending, ...sums(ledger), ledger: entries };
}

const operation = "'authorise' | 'capture' | 'void' | 'refund'";
const entry = type({
  kind: "'authorised' | 'captured' | 'voided' | 'expired' | 'refunded'",
  amount,
  paymentId: "string",
  operationId: "string",
  at: type("string").describe("a time of ISO 8601 in UTC"),
});
const shape = jsonSchema(
  type({
    orderId: id,
    status: "string",
    amount,
    currency,
    "paymentId?": type("string").describe("the gateway's, once it has authorised"),
    "pending?": type(operation).describe("what is asked of the gateway, or of a person, and not answered"),
    authorised: amount,
    captured: amount,
    released: amount,
    refunded: amount,
    ledger: entry.array(),
  }),
);

const tag = "payments";

const reading: Api = {
  tag,
  summary: "The payment of an order",
  role: "operator",
  answers: { 200: { text: "The payment, with every movement of its money.", schema: shape } },
  problems: ["not-found"],
};

const resolving: Api = {
  tag,
  summary: "Say what became of a payment that waits for a person",
  text:
    "First look it up at the gateway. What is said counts as if the gateway had said it. Who said it, and why, is written to the " +
    "topic `operations`.",
  role: "operator",
  headers: ["prefer"],
  body: {
    schema: withReason(without(jsonSchema(paymentResolve.schema), "orderId")),
    example: {
      operation: "capture",
      outcome: { kind: "done", paymentId: "pay_7", operationId: "op_12" },
      reason: "Seen in the gateway's list.",
    },
  },
  answers: {
    200: { text: "It counts.", schema: shape },
    202: { text: "It is stored; payments has not come to it yet.", schema: shape },
  },
  problems: ["not-found", "payment-settled"],
};

/** The schema of the message, with the reason that is written into the book. */
function withReason(schema: ReturnType<typeof jsonSchema>): ReturnType<typeof jsonSchema> {
  const { properties = {}, required = [] } = schema as { properties?: object; required?: readonly string[] };
  return { ...schema, properties: { ...properties, reason: jsonSchema(text) }, required: [...required, "reason"] };
}
