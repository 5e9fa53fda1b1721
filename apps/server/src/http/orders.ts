import { orderCancel, orderPlace, sameOrder, topics, type OrderPlace } from "@waybill/contracts";
import { order as orderKind, type Order } from "@waybill/orders";
import { type } from "arktype";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Journeys } from "../journey.ts";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { membersOf, messageFrom, valueOf } from "./body.ts";
import { applied, keyOf, waitOf } from "./headers.ts";
import { keyedId, timedId } from "./ids.ts";
import { isSettled, orderView } from "./order-view.ts";
import { Problem } from "./problem.ts";

/** How long a keyed order waits for the shop's first word on it, which tells whether its content is the key's. */
const decidedWithinMs = 2_000;
/** Orders that were stored and that the orders service has not come to. */
const acceptedMax = 20_000;

const cancelBody = type({ "+": "reject", "reason?": "string" });

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

  /** Answers with the settled order if that was asked for and came in time, else that it is under way. */
  async function answerPlaced(request: FastifyRequest, reply: FastifyReply, orderId: string): Promise<FastifyReply> {
    const waitSeconds = waitOf(request.headers.prefer);
    const order = await (waitSeconds === undefined
      ? orderOf(orderId)
      : waitFor(orderId, waitSeconds * 1_000, isSettled));
    const headers = { location: pathOf(orderId), ...applied(waitSeconds) };
    if (order !== undefined && waitSeconds !== undefined && isSettled(order)) return answerOrder(reply, order, headers);
    return answer(reply, 202, { orderId, status: order?.status ?? "accepted" }, headers);
  }

  app.post("/orders", async (request, reply) => {
    const key = keyOf(request.headers["idempotency-key"]);
    const nowMs = engine.store.nowMs();
    const orderId = key === undefined ? timedId(nowMs) : keyedId("order", key);
    const placed = messageFrom(orderPlace.schema, request.body, { orderId, placedAtMs: nowMs });
    const known = key === undefined ? undefined : await orderOf(orderId);
    if (known === undefined) {
      await accepted.during(orderId, () => door.publish(orderPlace, placed));
      if (key !== undefined) refuseOther(await waitFor(orderId, decidedWithinMs, () => true), placed);
    } else refuseOther(known, placed);
    return answerPlaced(request, reply, orderId);
  });

  app.get<{ Params: { id: string } }>("/orders/:id", async (request, reply) => {
    const { id } = request.params;
    const order = await orderOf(id);
    if (order !== undefined) return answerOrder(reply, order);
    if (accepted.has(id)) return answer(reply, 200, { orderId: id, status: "accepted" });
    throw orderUnknown(id);
  });

  app.post<{ Params: { id: string } }>("/orders/:id/cancel", async (request, reply) => {
    const { id: orderId } = request.params;
    const given = request.body === undefined ? {} : valueOf(cancelBody, membersOf(request.body));
    const reason = given.reason ?? "Asked for by the customer.";
    const cancel = valueOf(orderCancel.schema, { orderId, reason });
    const known = await orderOf(orderId);
    if (known === undefined && !accepted.has(orderId)) throw orderUnknown(orderId);
    const waitSeconds = waitOf(request.headers.prefer);
    if (known === undefined || !isDecided(known)) await door.publish(orderCancel, cancel);
    const order = await waitFor(orderId, (waitSeconds ?? 0) * 1_000, isDecided);
    const headers = { location: pathOf(orderId), ...applied(waitSeconds) };
    if (order === undefined || !isDecided(order)) {
      return answer(reply, 202, { orderId, status: order?.status ?? "accepted" }, headers);
    }
    if (order.status === "cancelled") return answerOrder(reply, order, headers);
    throw new Problem("cancel-refused", refusalOf(order), { headers, more: { orderId, orderStatus: order.status } });
  });
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

function orderUnknown(orderId: string): Problem {
  return new Problem("not-found", `There is no order ${orderId}.`);
}

function pathOf(orderId: string): string {
  return `/orders/${encodeURIComponent(orderId)}`;
}

/** Remembers which orders are stored and not yet known to the orders service, so that nobody is told there is none. */
function openAccepted({ watch }: HttpParts) {
  const ids = new Set<string>();
  watch.listen(({ topic, subject }) => {
    if (topic === topics.orders.name) ids.delete(subject);
  });
  return {
    has: (orderId: string) => ids.has(orderId),
    async during(orderId: string, store: () => Promise<unknown>): Promise<void> {
      if (ids.size < acceptedMax) ids.add(orderId);
      try {
        await store();
      } catch (error) {
        ids.delete(orderId);
        throw error;
      }
    },
  };
}
