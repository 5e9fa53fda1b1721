import { orderCancel, orderPlace, sameOrder, text, topics, type OrderPlace } from "@waybill/contracts";
import { order as orderKind, type Order } from "@waybill/orders";
import { type } from "arktype";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Journeys } from "../journey.ts";
import { maySee, ownOnly } from "./access/guard.ts";
import { openAccepted } from "./accepted-orders.ts";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { membersOf, messageFrom, valueOf } from "./body.ts";
import type { Api } from "./document/api.ts";
import { jsonSchema, without } from "./document/json-schema.ts";
import { applied, keyOf, waitOf } from "./headers.ts";
import { keyedId, timedId } from "./ids.ts";
import { isSettled, orderView } from "./order-view.ts";
import { Problem } from "./problem.ts";
import { shapes } from "./shapes.ts";

/** How long a keyed order waits for the shop's first word on it, which tells whether its content is the key's. */
const decidedWithinMs = 2_000;

const cancelBody = type({ "+": "reject", "reason?": text });

/** Everything about orders. */
export function addOrders(app: FastifyInstance, parts: HttpParts, journeys: Journeys): void {
  const { engine, door, watch } = parts;
  const accepted = openAccepted(parts);

  const orderOf = (orderId: string): Promise<Order | undefined> => engine.durable.state("orders", orderKind, orderId);

  /** Waits for an order to be as `is` wants it; the order as it is then, if it is known at all. */
  async function waitFor(orderId: string, ms: number, is: (order: Order) => boolean): Promise<Order | undefined> {
    const found = await watch.until(topics.orders, orderId, ms, async () => {
      const order = await orderOf(orderId);
      return order !== undefined && is(order) ? order : undefined;
    });
    return found ?? orderOf(orderId);
  }

  async function answerOrder(
    reply: FastifyReply,
    order: Order,
    headers?: Readonly<Record<string, string>>,
  ): Promise<FastifyReply> {
    return answer(reply, 200, orderView(order, await journeys.of(order)), headers);
  }

  /** Answers with the settled order if that was asked for and came in time, else that it is under way, as far as is known. */
  async function answerPlaced(
    request: FastifyRequest,
    reply: FastifyReply,
    orderId: string,
    known: Order | undefined,
  ): Promise<FastifyReply> {
    const waitSeconds = waitOf(request.headers.prefer);
    // Whoever does not wait is not kept for a look at what the services make of it.
    const order = waitSeconds === undefined ? known : await waitFor(orderId, waitSeconds * 1_000, isSettled);
    const headers = { location: pathOf(orderId), ...applied(waitSeconds) };
    if (order !== undefined && waitSeconds !== undefined && isSettled(order)) return answerOrder(reply, order, headers);
    return answer(reply, 202, { orderId, status: order?.status ?? "accepted" }, headers);
  }

  app.post("/orders", { config: { api: placing } }, async (request, reply) => {
    const key = keyOf(request.headers["idempotency-key"]);
    const nowMs = engine.store.nowMs();
    const orderId = key === undefined ? timedId(nowMs) : keyedId("order", key, request.caller?.customer);
    const placed = messageFrom(orderPlace.schema, request.body, { orderId, placedAtMs: nowMs });
    ownOnly(request, placed.customer.id);
    let known = key === undefined ? undefined : await orderOf(orderId);
    if (known === undefined) {
      const traced = { traceparent: request.traceparent };
      const { offset } = await accepted.during(placed, () => door.publish(orderPlace, placed, traced));
      // What waits for its broker the shop does not come to now.
      if (key !== undefined && offset !== undefined) known = await waitFor(orderId, decidedWithinMs, () => true);
    }
    refuseOther(known, placed);
    return answerPlaced(request, reply, orderId, known);
  });

  /** The order, or undefined when it is accepted only. Throws when there is none, or it is another customer's. */
  async function seen(request: FastifyRequest, orderId: string): Promise<Order | undefined> {
    const known = await orderOf(orderId);
    const accepting = known === undefined ? await accepted.customerOf(orderId) : undefined;
    // The orders service may have come to it meanwhile.
    const order = known ?? (await orderOf(orderId));
    const customer = order?.customer.id ?? accepting;
    if (customer === undefined || !maySee(request, customer)) throw orderUnknown(orderId);
    return order;
  }

  app.get<{ Params: { id: string } }>("/orders/:id", { config: { api: reading } }, async (request, reply) => {
    const { id } = request.params;
    const order = await seen(request, id);
    return order === undefined ? answer(reply, 200, { orderId: id, status: "accepted" }) : answerOrder(reply, order);
  });

  app.post<{ Params: { id: string } }>(
    "/orders/:id/cancel",
    { config: { api: cancelling } },
    async (request, reply) => {
      const { id: orderId } = request.params;
      const given = request.body === undefined ? {} : valueOf(cancelBody, membersOf(request.body));
      const reason = given.reason ?? "Asked for by the customer.";
      const cancel = valueOf(orderCancel.schema, { orderId, reason });
      const known = await seen(request, orderId);
      const waitSeconds = waitOf(request.headers.prefer);
      if (known === undefined || !isDecided(known))
        await door.publish(orderCancel, cancel, { traceparent: request.traceparent });
      const order = await waitFor(orderId, (waitSeconds ?? 0) * 1_000, isDecided);
      const headers = { location: pathOf(orderId), ...applied(waitSeconds) };
      if (order === undefined || !isDecided(order)) {
        return answer(reply, 202, { orderId, status: order?.status ?? "accepted" }, headers);
      }
      if (order.status === "cancelled") return answerOrder(reply, order, headers);
      throw new Problem("cancel-refused", refusalOf(order), { headers, more: { orderId, orderStatus: order.status } });
    },
  );
}

/** True when a cancel makes no difference any more. */
function isDecided({ status }: Order): boolean {
  return !["placed", "reserved", "confirmed", "cancelling"].includes(status);
}

function refusalOf({ status, cancelRefused }: Order): string {
  return status === "rejected"
    ? "The order was rejected; there is nothing to cancel."
    : (cancelRefused ?? "The goods have left.");
}

function refuseOther(known: Order | undefined, placed: OrderPlace): void {
  if (known === undefined || sameOrder(known, placed)) return;
  const { orderId } = known;
  throw new Problem("order-conflict", `Order ${orderId} was placed with this key and other content. Use a new key.`, {
    headers: { location: pathOf(orderId) },
    more: { orderId },
  });
}

export function orderUnknown(orderId: string): Problem {
  return new Problem("not-found", `There is no order ${orderId}.`);
}

function pathOf(orderId: string): string {
  return `/orders/${encodeURIComponent(orderId)}`;
}

const tag = "orders";

const placing: Api = {
  tag,
  summary: "Place an order",
  text: "A 2xx is sent once the order is stored for good. Prices come from the catalogue.",
  role: "shop",
  headers: ["idempotency-key", "prefer"],
  body: {
    schema: without(jsonSchema(orderPlace.schema), "orderId", "placedAtMs"),
    example: {
      customer: { id: "ann", email: "ann@example.org" },
      currency: "GBP",
      lines: [{ sku: "85123A", quantity: 2 }],
      payment: { token: "tok_approved" },
    },
  },
  answers: {
    200: { text: "It was waited for and is settled.", schema: shapes.order },
    202: { text: "It is stored and under way; `Location` names it.", schema: shapes.underWay },
  },
  problems: ["order-conflict"],
};

const reading: Api = {
  tag,
  summary: "An order and every message of its life",
  role: "shop",
  answers: { 200: { text: "The order.", schema: shapes.orderOrUnderWay } },
  problems: ["not-found"],
};

const cancelling: Api = {
  tag,
  summary: "Ask for an order to be cancelled",
  role: "shop",
  headers: ["prefer"],
  body: { schema: jsonSchema(cancelBody), example: { reason: "Ordered by mistake." }, isOptional: true },
  answers: {
    200: { text: "It is cancelled.", schema: shapes.order },
    202: { text: "It was asked for.", schema: shapes.underWay },
  },
  problems: ["not-found", "cancel-refused"],
};
