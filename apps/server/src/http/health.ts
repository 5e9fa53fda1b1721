import type { FastifyInstance } from "fastify";
import { laneTroubles, laneViews } from "../lanes.ts";
import { answer } from "./answer.ts";
import type { HttpParts } from "./app.ts";

/** Whether the process lives, whether it does its work, and how far its lanes are. */
export function addHealth(app: FastifyInstance, { engine, worker, services, isSeeded }: HttpParts): void {
  app.get("/health/live", async (_request, reply) => answer(reply, 200, { status: "live" }));

  app.get("/health/ready", async (_request, reply) => {
    const reasons = await laneTroubles(engine, services, worker);
    const { ok, fatal, error = "" } = engine.health();
    if (!ok) reasons.unshift(`The file ${fatal ? "can no longer be written" : "takes nothing now"}: ${error}`);
    if (!isSeeded()) reasons.unshift("The sample catalogue and its stock are being put in.");
    const isReady = reasons.length === 0;
    return answer(reply, isReady ? 200 : 503, isReady ? { status: "ready" } : { status: "not ready", reasons });
  });

  app.get("/lanes", async (_request, reply) =>
    answer(reply, 200, { lanes: await laneViews(engine, services, worker) }),
  );
}
