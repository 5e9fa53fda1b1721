import { email, id, letterKind, letterResolve, letterSettle, text, type LetterResolve } from "@waybill/contracts";
import type { MailKind } from "@waybill/notifications";
import { type } from "arktype";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { letterLost, lettersLost, type LetterView } from "../letters.ts";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { membersOf, valueOf } from "./body.ts";
import { limitDefault, limitTo } from "./page-limit.ts";
import { Problem } from "./problem.ts";
import { cursorOf, placeIn } from "./cursor.ts";
import type { Api } from "./document/api.ts";
import { jsonSchema } from "./document/json-schema.ts";

const lettersQuery = type({
  "+": "reject",
  "pretty?": "string",
  "limit?": limitTo(200),
  "cursor?": type(/^[A-Za-z0-9_-]{1,800}$/).describe("where the page before ended, as its `next` says"),
});

const againBody = type({ "+": "reject", reason: text, "to?": email });
const dismissBody = type({ "+": "reject", reason: text });

type OfLetter = { Params: { id: string; letter: MailKind } };

/** How long a request waits for notifications to take a person's word, and how often it looks. */
const waitMs = 5_000;
const lookEveryMs = 50;

/** Letters that did not go out, for operators, and their word on them. */
export function addLetters(app: FastifyInstance, { engine, door, world }: HttpParts): void {
  app.get("/letters", { config: { api: listing } }, async (request, reply) => {
    const { limit = String(limitDefault), cursor } = valueOf(lettersQuery, request.query);
    const place = cursor === undefined ? "" : placeIn(cursor);
    const { letters, after } = await lettersLost(engine.durable, place, Number(limit));
    const query = after === undefined ? undefined : new URLSearchParams({ limit, cursor: cursorOf(after) });
    const next = query && `/letters?${query.toString()}`;
    return answer(reply, 200, { letters, next });
  });

  app.post<OfLetter>("/letters/:id/:letter/again", { config: { api: sending } }, async (request, reply) => {
    const { reason, to } = valueOf(againBody, membersOf(request.body));
    return resolve(request, reply, { reason, outcome: { kind: "again", ...(to === undefined ? {} : { to }) } });
  });

  app.post<OfLetter>("/letters/:id/:letter/dismiss", { config: { api: dismissing } }, async (request, reply) => {
    const { reason } = valueOf(dismissBody, membersOf(request.body));
    return resolve(request, reply, { reason, outcome: { kind: "dismissed" } });
  });

  interface Word {
    readonly reason: string;
    readonly outcome: LetterResolve["outcome"];
  }

  /** Writes it into the book, tells notifications, and answers with the letter as it was once that has taken it. */
  async function resolve(request: FastifyRequest<OfLetter>, reply: FastifyReply, { reason, outcome }: Word) {
    const { id: orderId, letter } = request.params;
    const before = await letterLost(engine.durable, orderId, letter);
    if (before === undefined) {
      throw new Problem("not-found", `No letter "${letter}" of order ${orderId} is known that did not go out.`);
    }
    const by = request.caller?.id ?? "local";
    await door.publish(letterSettle, { orderId, letter, outcome: outcome.kind, by, reason });
    await door.publish(letterResolve, { orderId, letter, outcome }, { traceparent: request.traceparent });
    return answer(reply, (await isTaken(before)) ? 200 : 202, before);
  }

  /** Whether the letter is on the list no longer, or is there again because it failed again. */
  async function isTaken({ orderId, kind, at }: LetterView): Promise<boolean> {
    for (let leftMs = waitMs; leftMs > 0; leftMs -= lookEveryMs) {
      if ((await letterLost(engine.durable, orderId, kind))?.at !== at) return true;
      await world.sleep(lookEveryMs);
    }
    return false;
  }
}

const letter = type({
  orderId: id,
  kind: letterKind,
  to: "string",
  subject: "string",
  "text?": type("string").describe("what it said"),
  outcome: type("'refused' | 'unknown'").describe(
    "refused for good, or given up; one that was given up may have gone out",
  ),
  reason: type("string").describe("what the mail server said, or why it was given up"),
  at: type("string").describe("a time of ISO 8601 in UTC"),
});

const listing: Api = {
  tag: "letters",
  summary: "Letters that were refused for good or given up, in order of their orders' ids",
  text: "They stay here until somebody sends them again or dismisses them.",
  role: "operator",
  query: jsonSchema(lettersQuery),
  answers: {
    200: {
      text: "A page; `next` is the path of the one after it.",
      schema: jsonSchema(type({ letters: letter.array(), "next?": "string" })),
    },
  },
};

const taken = {
  200: { text: "The letter as it was; it is not on the list any more.", schema: jsonSchema(letter) },
  202: { text: "The letter as it is; notifications has not taken the word yet.", schema: jsonSchema(letter) },
} as const;

const sending: Api = {
  tag: "letters",
  summary: "Send a letter again that did not go out",
  text: "As it was, or to another address. One that fails again comes back to the list. Who asked, and why, is written to the topic `operations`.",
  role: "operator",
  body: { schema: jsonSchema(againBody), example: { reason: "He misspelt it.", to: "ann@example.org" } },
  answers: taken,
  problems: ["not-found"],
};

const dismissing: Api = {
  tag: "letters",
  summary: "Take a letter off the list that was dealt with otherwise",
  text: "Who asked, and why, is written to the topic `operations`.",
  role: "operator",
  body: { schema: jsonSchema(dismissBody), example: { reason: "Told on the phone." } },
  answers: taken,
  problems: ["not-found"],
};
