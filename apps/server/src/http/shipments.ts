import { shipmentDeliver, shipmentDispatch, shipmentRefused, topics, type ShipmentRefused } from "@waybill/contracts";
import { shipment as shipmentKind, type Shipment } from "@waybill/fulfilment";
import { bodyText, type StoredMessage } from "@waybill/messaging";
import { order as orderKind } from "@waybill/orders";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { membersOf, messageFrom } from "./body.ts";
import type { Api } from "./document/api.ts";
import { jsonSchema, without } from "./document/json-schema.ts";
import { applied, waitOf } from "./headers.ts";
import { Problem } from "./problem.ts";
import { shapes } from "./shapes.ts";

/** How long a request waits for fulfilment when the client does not say, in seconds. */
const waitSecondsDefault = 5;

type Asked = "dispatch" | "deliver";
type OfOrder = { Params: { id: string } };

/** Shipments by their orders: where they are, and what a carrier says of them. */
export function addShipments(app: FastifyInstance, { engine, door, watch, world }: HttpParts): void {
  const shipmentOf = (id: string): Promise<Shipment | undefined> =>
    engine.durable.state("fulfilment", shipmentKind, id);

  app.get<OfOrder>("/shipments/:id", { config: { api: reading } }, async (request, reply) => {
    const { id } = request.params;
    const shipment = await shipmentOf(id);
    if (shipment !== undefined) return answer(reply, 200, view(id, shipment));
    throw new Problem("not-found", `Order ${id} has no shipment: it is not confirmed, or there is no such order.`);
  });

  app.post<OfOrder>("/shipments/:id/dispatch", { config: { api: dispatching } }, async (request, reply) => {
    const body = messageFrom(shipmentDispatch.schema, request.body ?? {}, { orderId: request.params.id });
    const publish = (id: string) => door.publish(shipmentDispatch, body, { id, traceparent: request.traceparent });
    return carryOut("dispatch", { request, reply, publish });
  });

  app.post<OfOrder>("/shipments/:id/deliver", { config: { api: delivering } }, async (request, reply) => {
    if (request.body !== undefined) membersOf(request.body);
    const body = messageFrom(shipmentDeliver.schema, request.body ?? {}, { orderId: request.params.id });
    const publish = (id: string) => door.publish(shipmentDeliver, body, { id, traceparent: request.traceparent });
    return carryOut("deliver", { request, reply, publish });
  });

  interface Work {
    readonly request: FastifyRequest<OfOrder>;
    readonly reply: FastifyReply;
    readonly publish: (id: string) => Promise<unknown>;
  }

  /** Asks fulfilment, and answers with what it decided if that comes in time. */
  async function carryOut(asked: Asked, { request, reply, publish }: Work): Promise<FastifyReply> {
    const { id: orderId } = request.params;
    const before = await shipmentOf(orderId);
    if (before === undefined && (await engine.durable.state("orders", orderKind, orderId)) === undefined) {
      throw new Problem("not-found", `There is no order ${orderId}.`);
    }
    const waitSeconds = waitOf(request.headers.prefer);
    const headers = applied(waitSeconds);
    if (isDone(asked, before)) return answer(reply, 200, view(orderId, before!), headers);
    const cause = world.newId();
    const waitMs = (waitSeconds ?? waitSecondsDefault) * 1_000;
    const decided = watch.until(topics.shipments, orderId, waitMs, async (message) => {
      const refused = refusalIn(message, cause);
      if (refused !== undefined) return { refused };
      const shipment = await shipmentOf(orderId);
      return isDone(asked, shipment) ? { shipment: shipment! } : undefined;
    });
    await publish(cause);
    const found = await decided;
    if (found === undefined) return answer(reply, 202, { orderId, status: before?.status }, headers);
    if ("shipment" in found) return answer(reply, 200, view(orderId, found.shipment), headers);
    throw new Problem("shipment-refused", found.refused, { headers, more: { orderId } });
  }
}

/** Whether what was asked for has happened already. */
function isDone(asked: Asked, shipment: Shipment | undefined): boolean {
  return shipment?.status === "delivered" || (asked === "dispatch" && shipment?.status === "dispatched");
}

/** Why fulfilment refuses what a message with this id asked for, if this says so. */
function refusalIn(message: StoredMessage | undefined, cause: string): string | undefined {
  if (message?.type !== shipmentRefused.name || message.causation !== cause) return undefined;
  return (JSON.parse(bodyText(message.body)) as ShipmentRefused).reason;
}

function view(orderId: string, shipment: Shipment): Record<string, unknown> {
  const { status, lines, createdAtMs, dispatchedAtMs, deliveredAtMs, tracking } = shipment;
  return {
    orderId,
    status,
    lines,
    createdAt: timeOf(createdAtMs),
    dispatchedAt: timeOf(dispatchedAtMs),
    deliveredAt: timeOf(deliveredAtMs),
    tracking,
  };
}

function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

const tag = "shipments";

const reading: Api = {
  tag,
  summary: "The shipment of an order",
  role: "operator",
  answers: { 200: { text: "The shipment.", schema: shapes.shipment } },
  problems: ["not-found"],
};

const answers = {
  200: { text: "It is done, or was before.", schema: shapes.shipment },
  202: { text: "It is stored; fulfilment has not come to it yet.", schema: shapes.shipmentAsked },
} as const;

const dispatching: Api = {
  tag,
  summary: "Say that the goods of an order have been handed to a carrier",
  role: "operator",
  headers: ["prefer"],
  body: {
    schema: without(jsonSchema(shipmentDispatch.schema), "orderId"),
    example: { tracking: "1Z 999" },
    isOptional: true,
  },
  answers,
  problems: ["not-found", "shipment-refused"],
};

const delivering: Api = {
  tag,
  summary: "Say that the carrier has handed them over",
  role: "operator",
  headers: ["prefer"],
  body: { schema: without(jsonSchema(shipmentDeliver.schema), "orderId"), isOptional: true },
  answers,
  problems: ["not-found", "shipment-refused"],
};
