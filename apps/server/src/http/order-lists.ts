import { afterTime, allOrders, entryOf, inNeed, listed, ordersOf, type ListEntry } from "@waybill/listing";
import { order as orderKind, type Order } from "@waybill/orders";
import { type } from "arktype";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ownOnly } from "./access/guard.ts";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { valueOf } from "./body.ts";
import { limitDefault, limitTo } from "./page-limit.ts";
import { cursorOf, placeIn } from "./cursor.ts";
import type { Api } from "./document/api.ts";
import { asTimes, jsonSchema } from "./document/json-schema.ts";
import { listedView } from "./order-view.ts";
import { fieldsInvalid } from "./problem.ts";
import { orderStatuses, shapes } from "./shapes.ts";

/** How many orders one request looks at for those that it wants. */
const lookMax = 1_000;
/** How many orders are read at once. */
const pageMax = 50;

const time = type("string <= 40");
const listQuery = type({
  "+": "reject",
  "pretty?": "string",
  "customer?": "1 <= string <= 200",
  "state?": type.enumerated(...orderStatuses),
  "attention?": "'true'",
  "from?": time.describe("placed at this time or later, as ISO 8601"),
  "to?": time.describe("placed before this time, as ISO 8601"),
  "limit?": limitTo(200),
  "cursor?": type(/^[A-Za-z0-9_-]{1,400}$/).describe("where the page before ended, as its `next` says"),
});
type ListQuery = typeof listQuery.infer;

/** Orders by customer, state and time, the newest first. */
export function addOrderLists(app: FastifyInstance, { engine }: HttpParts): void {
  const { durable } = engine;

  app.get("/orders", { config: { api: listing } }, async (request, reply) => {
    const query = ownQuery(request);
    const list = listFor(query);
    const fromMs = timeOf("from", query.from) ?? -Infinity;
    const limit = Number(query.limit ?? limitDefault);
    const found: Order[] = [];
    let after = startOf(list, query);
    let isEnd = false;
    for (let looked = 0; !isEnd && looked < lookMax && found.length < limit; looked += pageMax) {
      const rows = await durable.states("listing", listed, after, pageMax);
      const entries = rows.map(({ id }) => entryOf(list, id));
      const own = entries.filter((entry): entry is ListEntry => entry !== undefined && entry.placedAtMs >= fromMs);
      isEnd = own.length < pageMax;
      const orders = await Promise.all(own.map(({ orderId }) => durable.state("orders", orderKind, orderId)));
      for (const [at, order] of orders.entries()) {
        after = rows[at]!.id;
        if (order === undefined || !isWanted(order, query)) continue;
        found.push(order);
        if (found.length < limit) continue;
        isEnd &&= at === own.length - 1;
        break;
      }
    }
    const next = isEnd ? undefined : nextPage(query, after.slice(list.length));
    return answer(reply, 200, { orders: found.map(listedView), next });
  });
}

/** The query of a request; one who may see a customer's orders only asks for those. */
function ownQuery(request: FastifyRequest): ListQuery {
  const query = valueOf(listQuery, request.query);
  const { caller } = request;
  if (caller?.customer === undefined) return query;
  ownOnly(request, query.customer ?? caller.customer);
  return { ...query, customer: caller.customer };
}

/** The shortest list that holds all that is asked for. */
function listFor({ customer, state, attention }: ListQuery): string {
  if (customer !== undefined) return ordersOf(customer);
  if (attention !== undefined || state === "unpaid") return inNeed("attention");
  return state === "rejected" || state === "cancelled" ? inNeed(state) : allOrders;
}

/** The order itself says what it is now: a list only says what it once was. */
function isWanted(order: Order, { customer, state, attention }: ListQuery): boolean {
  if (customer !== undefined && order.customer.id !== customer) return false;
  if (state !== undefined && order.status !== state) return false;
  return attention === undefined || order.attention !== undefined;
}

function startOf(list: string, { cursor, to }: ListQuery): string {
  if (cursor !== undefined) return list + placeIn(cursor);
  const toMs = timeOf("to", to);
  return toMs === undefined ? list : afterTime(list, toMs);
}

function timeOf(field: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{4}-\d\d-\d\d(T|$)/i.test(text) ? Date.parse(text.toUpperCase()) : NaN;
  if (!Number.isNaN(ms)) return Math.max(0, ms);
  throw fieldsInvalid([{ field, reason: "must be a time of ISO 8601 such as 2026-01-31T12:00:00Z" }]);
}

function nextPage({ pretty: _pretty, ...query }: ListQuery, place: string): string {
  const cursor = cursorOf(place);
  return `/orders?${new URLSearchParams({ ...query, cursor }).toString()}`;
}

const listing: Api = {
  tag: "orders",
  summary: "Orders by customer, state and time of placing, the newest first",
  text: "One request looks at 1,000 orders at most: a page may be short, or empty, and still have a `next`.",
  role: "shop",
  query: asTimes(jsonSchema(listQuery), "from", "to"),
  answers: { 200: { text: "A page; `next` is the path of the one after it.", schema: shapes.orders } },
};
