import { id } from "@waybill/contracts";
import { type } from "arktype";
import type { FastifyInstance } from "fastify";
import { lettersLost } from "../letters.ts";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { valueOf } from "./body.ts";
import { limitDefault, limitTo } from "./page-limit.ts";
import { cursorOf, placeIn } from "./cursor.ts";
import type { Api } from "./document/api.ts";
import { jsonSchema } from "./document/json-schema.ts";

const lettersQuery = type({
  "+": "reject",
  "pretty?": "string",
  "limit?": limitTo(200),
  "cursor?": type(/^[A-Za-z0-9_-]{1,800}$/).describe("where the page before ended, as its `next` says"),
});

/** Letters that customers will never get, for operators. */
export function addLetters(app: FastifyInstance, { engine }: HttpParts): void {
  app.get("/letters", { config: { api: listing } }, async (request, reply) => {
    const { limit = String(limitDefault), cursor } = valueOf(lettersQuery, request.query);
    const place = cursor === undefined ? "" : placeIn(cursor);
    const { letters, after } = await lettersLost(engine.durable, place, Number(limit));
    const query = after === undefined ? undefined : new URLSearchParams({ limit, cursor: cursorOf(after) });
    const next = query && `/letters?${query.toString()}`;
    return answer(reply, 200, { letters, next });
  });
}

const letter = type({
  orderId: id,
  kind: "'confirmed' | 'shipped' | 'cancelled' | 'refunded'",
  to: "string",
  subject: "string",
  outcome: type("'refused' | 'unknown'").describe(
    "refused for good, or given up; one that was given up may have gone out",
  ),
  reason: type("string").describe("what the mail server said, or why it was given up"),
  at: type("string").describe("a time of ISO 8601 in UTC"),
});

const listing: Api = {
  tag: "letters",
  summary: "Letters that were refused for good or given up, in order of their orders' ids",
  text: "Nobody tries them again: the customer has to hear it in another way.",
  role: "operator",
  query: jsonSchema(lettersQuery),
  answers: {
    200: {
      text: "A page; `next` is the path of the one after it.",
      schema: jsonSchema(type({ letters: letter.array(), "next?": "string" })),
    },
  },
};
