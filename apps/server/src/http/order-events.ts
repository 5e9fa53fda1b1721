import { topics } from "@waybill/contracts";
import { journey, order as orderKind, type Journey, type Order } from "@waybill/orders";
import type { FastifyInstance } from "fastify";
import { Readable } from "node:stream";
import { maySee } from "./access/guard.ts";
import type { HttpParts } from "./app.ts";
import type { Api } from "./document/api.ts";
import { orderUnknown } from "./orders.ts";
import { unavailable } from "./problem.ts";

/** How many may listen at once. */
const streamsMax = 1_000;
/** How often a listener hears that the connection lives; in milliseconds. */
const beatMs = 15_000;
/** A reader that takes nothing for so long is cut off; in milliseconds. */
const stuckMs = 60_000;
/** The least pause between two looks when there is no room to wait; in milliseconds. */
const pauseMs = 1_000;

/**
 * What the shop says of an order, as it is said: Server-Sent Events. The order's own history is what is sent, so that nothing
 * piles up for a slow reader, and an event's id, which is its message's, says where to go on.
 */
export function addOrderEvents(app: FastifyInstance, { engine, watch, world }: HttpParts): void {
  const closing = new AbortController();
  let streams = 0;
  app.addHook("preClose", async () => closing.abort());
  const orderOf = (id: string): Promise<Order | undefined> => engine.durable.state("orders", orderKind, id);

  app.get<{ Params: { id: string } }>(
    "/orders/:id/events",
    { config: { api: listening }, exposeHeadRoute: false },
    async (request, reply) => {
      const { id } = request.params;
      const order = await orderOf(id);
      if (order === undefined || !maySee(request, order.customer.id)) throw orderUnknown(id);
      if (streams >= streamsMax) throw unavailable(`${streamsMax} listen already.`);
      streams += 1;
      request.raw.once("close", () => (streams -= 1));
      request.raw.socket.setTimeout(stuckMs, () => request.raw.socket.destroy());
      const lastId = request.headers["last-event-id"];
      const from = saidOf(order).findIndex((entry) => entry.id === lastId) + 1;
      const isOver = () => closing.signal.aborted || request.raw.destroyed;
      return reply
        .type("text/event-stream; charset=utf-8")
        .headers({ "cache-control": "no-store", "x-accel-buffering": "no", connection: "close" })
        .send(Readable.from(events(id, from, isOver), { highWaterMark: 1 }));
    },
  );

  /** Everything said of an order from one place in its history on, until it is over; pulled as fast as it is read. */
  async function* events(id: string, from: number, isOver: () => boolean): AsyncGenerator<string> {
    yield "retry: 2000\n\n";
    for (let sent = from; !isOver();) {
      const beganMs = world.monotonicMs();
      const fresh = await watch.until(topics.orders, id, beatMs, async () => {
        const order = await orderOf(id);
        return order !== undefined && saidOf(order).length > sent ? order : undefined;
      });
      if (fresh === undefined) {
        if (world.monotonicMs() - beganMs < pauseMs) await world.sleep(pauseMs, closing.signal);
        if (!isOver()) yield ": the connection lives\n\n";
        continue;
      }
      const said = saidOf(fresh);
      yield said
        .slice(sent)
        .map((entry) => eventText(id, entry))
        .join("");
      sent = said.length;
    }
  }
}

/** What orders itself has said of an order, in the order in which it was said. */
function saidOf({ history }: Order): readonly Journey[] {
  return journey(history).filter(({ topic }) => topic === topics.orders.name);
}

function eventText(orderId: string, { id, type, atMs, partition }: Journey): string {
  const data = { orderId, type, at: new Date(atMs).toISOString(), topic: topics.orders.name, partition, id };
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

const listening: Api = {
  tag: "orders",
  summary: "What the shop says of an order, as it is said",
  text: "Server-Sent Events: all that was said already, then the rest as it comes. With `Last-Event-ID` only what came after it.",
  role: "shop",
  headers: ["last-event-id"],
  answers: { 200: { text: "Events, until the client goes.", media: "text/event-stream" } },
  problems: ["not-found", "unavailable"],
};
