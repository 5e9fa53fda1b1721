import { laneResume, lossAccept, text } from "@waybill/contracts";
import type { LaneRow } from "@waybill/messaging";
import { type } from "arktype";
import type { FastifyInstance } from "fastify";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";
import { membersOf, valueOf } from "./body.ts";
import type { Api } from "./document/api.ts";
import { jsonSchema } from "./document/json-schema.ts";
import { Problem } from "./problem.ts";

const resumeBody = type({ "+": "reject", reason: text });
const lossBody = type({ "+": "reject", topic: type(/^[a-z][a-z0-9-]{0,62}$/), reason: text });

type OfLane = { Params: { service: string; lane: string } };
type OfService = { Params: { service: string } };

/** A person's decisions on lanes that wait for one. The book of operations is written first. */
export function addLaneCommands(app: FastifyInstance, { engine, worker, door }: HttpParts): void {
  const { store } = engine;

  app.post<OfLane>("/lanes/:service/:lane/resume", { config: { api: resuming } }, async (request, reply) => {
    const { service } = request.params;
    const { reason } = valueOf(resumeBody, membersOf(request.body));
    const rows = await lanesOf(service);
    const row = rows.find(({ lane }) => String(lane) === request.params.lane);
    if (row === undefined) throw new Problem("not-found", `${service} has no lane ${request.params.lane}.`);
    const { lane, stopped } = row;
    if (stopped === undefined) throw new Problem("lane-refused", `Lane ${service}/${lane} has not stopped.`);
    await door.publish(laneResume, { service, lane, by: request.caller?.id ?? "local", reason, stopped });
    await store.resume({ service, lane, lanes: rows.length });
    return answer(reply, 200, { service, lane, stopped });
  });

  app.post<OfService>("/lanes/:service/accept-loss", { config: { api: accepting } }, async (request, reply) => {
    const { service } = request.params;
    const { topic, reason } = valueOf(lossBody, membersOf(request.body));
    await lanesOf(service);
    const isBlocked = worker
      .lanes()
      .some((one) => one.service === service && one.blocked.some((at) => at.topic === topic));
    if (!isBlocked) throw notWaiting(service, topic);
    await door.publish(lossAccept, { service, topic, by: request.caller?.id ?? "local", reason });
    if (!(await worker.acceptLoss(service, topic))) throw notWaiting(service, topic);
    return answer(reply, 200, { service, topic });
  });

  async function lanesOf(service: string): Promise<readonly LaneRow[]> {
    const { lanes } = await store.survey([service]);
    if (lanes.length > 0) return lanes;
    throw new Problem("not-found", `There is no service ${service}.`);
  }
}

function notWaiting(service: string, topic: string): Problem {
  return new Problem("lane-refused", `No lane of ${service} in this process is held up in ${topic}.`);
}

const whole = type("number.integer >= 0");

const resuming: Api = {
  tag: "operations",
  summary: "Let a lane that has stopped go on",
  text: "First mend what it says. Who asked, and why, is written to the topic `operations`.",
  role: "operator",
  body: { schema: jsonSchema(resumeBody), example: { reason: "The build is mended." } },
  answers: {
    200: {
      text: "It may be claimed again; `stopped` is why it had stopped.",
      schema: jsonSchema(type({ service: "string", lane: whole, stopped: "string" })),
    },
  },
  problems: ["not-found", "lane-refused"],
};

const accepting: Api = {
  tag: "operations",
  summary: "Let a service go on in a topic without what is missing from it",
  text: "What is missing is lost for this service: reconcile it by hand. Who asked, and why, is written to the topic `operations`.",
  role: "operator",
  body: { schema: jsonSchema(lossBody), example: { topic: "orders", reason: "Reconciled by hand." } },
  answers: {
    200: { text: "It reads on.", schema: jsonSchema(type({ service: "string", topic: "string" })) },
  },
  problems: ["not-found", "lane-refused"],
};
