import { serviceForget, text } from "@waybill/contracts";
import { codeOf } from "@waybill/messaging";
import { type } from "arktype";
import type { FastifyInstance } from "fastify";
import { removedNames, removedServices } from "../removed.ts";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { membersOf, valueOf } from "./body.ts";
import type { Api } from "./document/api.ts";
import { jsonSchema } from "./document/json-schema.ts";
import { Problem } from "./problem.ts";

const forgetBody = type({ "+": "reject", reason: text });

type OfService = { Params: { service: string } };

/** Services that are no longer part of the shop: what is kept of them, and an operator's word that it be forgotten. */
export function addRemovedServices(app: FastifyInstance, { engine, services, door }: HttpParts): void {
  const { keeping } = engine;

  app.get("/services/removed", { config: { api: listing } }, async (_request, reply) =>
    answer(reply, 200, { services: await removedServices(keeping, services) }),
  );

  app.post<OfService>("/services/:service/forget", { config: { api: forgetting } }, async (request, reply) => {
    const { service } = request.params;
    const { reason } = valueOf(forgetBody, membersOf(request.body));
    if (services.some(({ name }) => name === service)) throw inUse(service, "is part of this shop");
    if (!(await removedNames(keeping, services)).includes(service)) {
      throw new Problem("not-found", `Nothing is kept of a service ${service}.`);
    }
    const forgotten = { service, ...(await keeping.of(service)) };
    const { lanes, members } = await engine.store.survey([service]);
    const host = members.find(({ id }) => lanes.some(({ owner }) => owner === id))?.host;
    if (host !== undefined) throw inUse(service, `runs at ${host}`);
    await door.publish(serviceForget, { service, by: request.caller?.id ?? "local", reason });
    await keeping.forget(service).catch((error: unknown) => {
      throw codeOf(error) === "NOT_OWNER" ? inUse(service, "runs in another process") : error;
    });
    return answer(reply, 200, { forgotten });
  });
}

function inUse(service: string, how: string): Problem {
  const text = `${service} ${how}: only what is kept of a service that was taken out can be forgotten. Delete its folder and its line, and start the shop again.`;
  return new Problem("service-in-use", text);
}

const counted = type("0 <= number.integer <= 10000");
const removed = type({
  service: "string",
  states: counted,
  timers: counted,
  effects: counted.describe("calls to the outside that are not answered"),
  parked: counted.describe("inputs that are set aside"),
  outbox: counted.describe("what no log has confirmed yet"),
  topics: type({ topic: "string", messages: "number.integer >= 0" })
    .array()
    .describe("topics whose messages are kept for it, whatever their retention says"),
});

const listing: Api = {
  tag: "operations",
  summary: "Services that are no longer part of the shop, and what is kept of them",
  text: "Each number is counted up to 10,000, but for the messages of topics.",
  role: "operator",
  answers: { 200: { text: "All of them.", schema: jsonSchema(type({ services: removed.array() })) } },
};

const forgetting: Api = {
  tag: "operations",
  summary: "Forget a service that was taken out, for good",
  text: "All that is kept of it is deleted: its states, timers, calls, parked inputs, and how far it has read. What it said stays in its topics. Put back, it begins anew, at the first messages that are kept then. Who asked, and why, is written to the topic `operations`.",
  role: "operator",
  body: { schema: jsonSchema(forgetBody), example: { reason: "Loyalty has gone to another system." } },
  answers: { 200: { text: "It is forgotten; this was kept of it.", schema: jsonSchema(type({ forgotten: removed })) } },
  problems: ["not-found", "service-in-use"],
};
