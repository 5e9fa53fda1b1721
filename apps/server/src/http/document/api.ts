import type { ProblemKind } from "../problem.ts";
import type { Role } from "../access/key-file.ts";
import type { JsonSchema } from "./json-schema.ts";

/** One answer of a route that is no problem. */
export interface Answered {
  readonly text: string;
  /** Of the JSON body; undefined when there is none, or it is of another type. */
  readonly schema?: JsonSchema;
  /** The media type when it is not JSON. */
  readonly media?: string;
}

/** What routes are about, in the order of the document. */
export const tags = {
  orders: "Placing orders, following them, cancelling them.",
  products: "What the shop sells.",
  stock: "What lies on the shelves, and each movement of it.",
  shipments: "Goods that leave and arrive.",
  payments: "Payments that wait for a person's word.",
  letters: "Letters that did not go out, and what a person does with them.",
  topics: "The log: what was said, by topic.",
  parked: "Inputs that could not be handled: looked at, tried again, given up.",
  operations:
    "Whether the shop is well, in words and in figures; how far each service has read, and lanes that have stopped.",
  document: "This document, and a page that shows it.",
} as const;

/** What a route says of itself: the guard lets in by it, its query is checked by it, and the OpenAPI document is made of it. */
export interface Api {
  readonly tag: keyof typeof tags;
  readonly summary: string;
  readonly text?: string;
  /** Who may use it: an operator may whatever a shop may. */
  readonly role: "anybody" | Role;
  /** The parameters of the query, all of them optional texts; `pretty` is always there. */
  readonly query?: JsonSchema;
  readonly headers?: readonly HeaderName[];
  readonly body?: { readonly schema: JsonSchema; readonly example?: unknown; readonly isOptional?: boolean };
  readonly answers: Readonly<Record<number, Answered>>;
  /** Besides those that any route may answer with. */
  readonly problems?: readonly ProblemKind[];
}

export type HeaderName = "idempotency-key" | "prefer" | "last-event-id";

declare module "fastify" {
  interface FastifyContextConfig {
    api?: Api;
  }
}
