import { limitTo } from "./page-limit.ts";
import { product as productKind, type Product } from "@waybill/catalogue";
import { productPut, topics } from "@waybill/contracts";
import { type } from "arktype";
import type { FastifyInstance } from "fastify";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { membersOf, valueOf } from "./body.ts";
import type { Api } from "./document/api.ts";
import { jsonSchema, optional, without } from "./document/json-schema.ts";
import { applied, waitOf } from "./headers.ts";
import { fieldsInvalid, Problem } from "./problem.ts";
import { shapes } from "./shapes.ts";

const pageQuery = type({
  "+": "reject",
  "pretty?": "string",
  "after?": "string <= 200",
  "limit?": limitTo(1_000),
});

/** How long a put waits for the catalogue when the client does not say, in seconds. */
const waitSecondsDefault = 5;

/** The products of the shop. */
export function addProducts(app: FastifyInstance, { engine, door, watch, world }: HttpParts): void {
  const productOf = (sku: string): Promise<Product | undefined> => engine.durable.state("catalogue", productKind, sku);

  app.get("/products", { config: { api: listing } }, async (request, reply) => {
    const { after = "", limit = "100" } = valueOf(pageQuery, request.query);
    const rows = await engine.durable.states("catalogue", productKind, after, Number(limit) + 1);
    const products = rows.slice(0, Number(limit)).map(({ value }) => view(value));
    const last = rows.length > products.length ? products.at(-1) : undefined;
    const next = last && `/products?after=${encodeURIComponent(last.sku)}&limit=${limit}`;
    return answer(reply, 200, { products, next });
  });

  app.get<{ Params: { sku: string } }>("/products/:sku", { config: { api: reading } }, async (request, reply) => {
    const product = await productOf(request.params.sku);
    if (product !== undefined) return answer(reply, 200, view(product));
    throw new Problem("not-found", `There is no product ${request.params.sku}.`);
  });

  app.put<{ Params: { sku: string } }>("/products/:sku", { config: { api: putting } }, async (request, reply) => {
    const { sku } = request.params;
    const members = membersOf(request.body);
    if (Object.hasOwn(members, "sku") && members["sku"] !== sku) {
      throw fieldsInvalid([{ field: "sku", reason: "must be the one of the path, or left out" }]);
    }
    const wanted = view(valueOf(productPut.schema, { active: true, ...members, sku }));
    const waitSeconds = waitOf(request.headers.prefer);
    const id = world.newId();
    let isChanged = false;
    const changed = watch.until(topics.products, sku, (waitSeconds ?? waitSecondsDefault) * 1_000, (message) => {
      if (message?.causation === id) isChanged = true;
      return isChanged ? true : undefined;
    });
    await door.publish(productPut, wanted, { id, traceparent: request.traceparent });
    // A put that changes nothing is no event: what is stored is what was wanted already.
    const isDone = isSame(await productOf(sku), wanted) || (await changed) === true;
    const headers = applied(waitSeconds);
    return isDone ? answer(reply, 200, wanted, headers) : answer(reply, 202, wanted, headers);
  });
}

function view({ sku, title, price, currency, active }: Product): Product {
  return { sku, title, price, currency, active };
}

function isSame(known: Product | undefined, wanted: Product): boolean {
  if (known === undefined) return false;
  const { title, price, currency, active } = known;
  return title === wanted.title && price === wanted.price && currency === wanted.currency && active === wanted.active;
}

const tag = "products";

const listing: Api = {
  tag,
  summary: "Products in order of their SKUs",
  role: "shop",
  query: jsonSchema(pageQuery),
  answers: { 200: { text: "A page; `next` is the path of the one after it.", schema: shapes.products } },
};

const reading: Api = {
  tag,
  summary: "A product",
  role: "shop",
  answers: { 200: { text: "The product.", schema: shapes.product } },
  problems: ["not-found"],
};

const putting: Api = {
  tag,
  summary: "Add a product, or change it",
  role: "operator",
  headers: ["prefer"],
  body: {
    schema: optional(without(jsonSchema(productPut.schema), "sku"), "active"),
    example: { title: "White hanging heart", price: "2.55", currency: "GBP" },
  },
  answers: {
    200: { text: "The catalogue has it.", schema: shapes.product },
    202: { text: "It is stored; the catalogue has not come to it yet.", schema: shapes.product },
  },
};
