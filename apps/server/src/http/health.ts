import type { FastifyInstance } from "fastify";
import { laneTroubles, laneViews } from "../lanes.ts";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { shapes } from "./shapes.ts";

/** Whether the process lives, whether it does its work, and how far its lanes are. */
export function addHealth(app: FastifyInstance, { engine, worker, services, isSeeded, keys, audit }: HttpParts): void {
  app.get("/health/live", { config: { api: live } }, async (_request, reply) => answer(reply, 200, { status: "live" }));

  app.get("/health/ready", { config: { api: ready } }, async (request, reply) => {
    const reasons = await laneTroubles(engine, services, worker);
    const { ok, fatal, error = "" } = engine.health();
    if (!ok) reasons.unshift(`The file ${fatal ? "can no longer be written" : "takes nothing now"}: ${error}`);
    if (!isSeeded()) reasons.unshift("The sample catalogue and its stock are being put in.");
    const mayKnow = !keys.isRequired() || request.caller?.role === "operator";
    // Books that do not balance are for people to look at; the shop does its work all the same.
    const troubles = audit?.auditTroubles() ?? [];
    const books = mayKnow && troubles.length > 0 ? { books: troubles } : {};
    if (reasons.length === 0) return answer(reply, 200, { status: "ready", ...books });
    return answer(reply, 503, { status: "not ready", ...(mayKnow ? { reasons } : {}), ...books });
  });

  app.get("/lanes", { config: { api: lanes } }, async (_request, reply) =>
    answer(reply, 200, { lanes: await laneViews(engine, services, worker) }),
  );
}

const live = {
  tag: "operations",
  summary: "Whether the process lives",
  role: "anybody",
  answers: { 200: { text: "It does.", schema: shapes.live } },
} as const;

const ready = {
  tag: "operations",
  summary: "Whether the shop does its work",
  text: "Without an operator's key it says whether, and not why.",
  role: "anybody",
  answers: {
    200: { text: "All lanes run and read. `books` says what does not balance, if anything.", schema: shapes.ready },
    503: { text: "Something does not; `reasons` says what.", schema: shapes.ready },
  },
} as const;

const lanes = {
  tag: "operations",
  summary: "How far each lane has read in each of its topics, and what holds it",
  role: "operator",
  answers: { 200: { text: "Every lane.", schema: shapes.lanes } },
} as const;
