import type { StoredMessage } from "@waybill/messaging";
import { type } from "arktype";
import type { FastifyInstance } from "fastify";
import { shopContract } from "../services.ts";
import { tail, topicViews } from "../topics.ts";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { valueOf } from "./body.ts";
import { limitDefault, limitTo } from "./page-limit.ts";
import type { Api } from "./document/api.ts";
import { jsonSchema } from "./document/json-schema.ts";
import { applied, waitOf } from "./headers.ts";
import { Problem } from "./problem.ts";

const tailQuery = type({
  "+": "reject",
  "pretty?": "string",
  "after?": type(/^[A-Za-z0-9_-]{1,8000}$/).describe("where the page before ended, as its `place` says"),
  "limit?": limitTo(500),
  "type?": type("1 <= string <= 200").describe("only messages of this type"),
  "subject?": type("1 <= string <= 200").describe("only messages about this entity"),
});

/** Topics and what was said in them, for operators. */
export function addTopics(app: FastifyInstance, { engine }: HttpParts): void {
  const names = shopContract().topics.map(({ name }) => name);
  const transportOf = (topic: string) => engine.durable.transportOf(topic);
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());

  app.get("/topics", { config: { api: listing } }, async (_request, reply) =>
    answer(reply, 200, { topics: await topicViews(transportOf, names) }),
  );

  app.get<{ Params: { topic: string } }>(
    "/topics/:topic/messages",
    { config: { api: tailing } },
    async (request, reply) => {
      const { topic } = request.params;
      if (!names.includes(topic)) throw new Problem("not-found", `There is no topic ${topic}.`);
      const { after, limit, type: name, subject } = valueOf(tailQuery, request.query);
      const waitSeconds = waitOf(request.headers.prefer);
      const page = await tail({
        transport: transportOf(topic),
        topic,
        place: after,
        limit: Number(limit ?? limitDefault),
        waitMs: (waitSeconds ?? 0) * 1_000,
        isWanted: (message: StoredMessage) =>
          (name === undefined || message.type === name) && (subject === undefined || message.subject === subject),
        signal: closing.signal,
      });
      return answer(reply, 200, page, applied(waitSeconds));
    },
  );
}

const whole = type("number.integer >= 0");
const topicShape = type({ topic: "string", transport: "string", partitions: whole, messages: whole, bytes: whole });
const messageShape = type({
  at: "string",
  type: "string",
  subject: "string",
  partition: whole,
  offset: whole,
  id: "string",
  producer: "string",
  correlation: "string",
  "causation?": "string",
  "body?": "unknown",
});

const listing: Api = {
  tag: "topics",
  summary: "Every topic, and how much it holds",
  role: "operator",
  answers: { 200: { text: "The topics.", schema: jsonSchema(type({ topics: topicShape.array() })) } },
};

const tailing: Api = {
  tag: "topics",
  summary: "The last messages of a topic, and then those that come",
  text: "`place` goes into `after` of the request that follows; with `Prefer: wait=N` that one waits for something new. Tokens of payments are left out.",
  role: "operator",
  headers: ["prefer"],
  query: jsonSchema(tailQuery),
  answers: {
    200: {
      text: "Messages by the time of their publication.",
      schema: jsonSchema(type({ messages: messageShape.array(), place: "string" })),
    },
  },
  problems: ["not-found"],
};
