import helmet from "@fastify/helmet";
import type { RunningAudit } from "@waybill/auditor";
import { messageOf, type Service, type Worker, type World } from "@waybill/messaging";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Door } from "../door.ts";
import type { Engine } from "../engine.ts";
import { openJourneys } from "../journey.ts";
import type { Meter } from "../metrics/meter.ts";
import type { Watch } from "../watch.ts";
import { addGuard } from "./access/guard.ts";
import type { Keys } from "./access/keys.ts";
import { answerProblem } from "./answer.ts";
import { endUnreadable } from "./client-error.ts";
import { addDocument } from "./document/routes.ts";
import { noteRoutes } from "./document/notes.ts";
import { addHealth } from "./health.ts";
import { addLetters } from "./letters.ts";
import { addLaneCommands } from "./lane-commands.ts";
import { addOrderEvents } from "./order-events.ts";
import { addOrderLists } from "./order-lists.ts";
import { addOrders } from "./orders.ts";
import { readJsonBodies } from "./json-body.ts";
import { addMetrics } from "./metrics.ts";
import { checkParameters } from "./parameters.ts";
import { followRequests } from "./trace.ts";
import { Problem, problemOf } from "./problem.ts";
import { addParked } from "./parked.ts";
import { addPayments } from "./payments.ts";
import { addRemovedServices } from "./removed-services.ts";
import { addProducts } from "./products.ts";
import { addShipments } from "./shipments.ts";
import { addStock } from "./stock.ts";
import { addTopics } from "./topics.ts";
import { addStockMovements } from "./stock-movements.ts";

/** What the routes work with. */
export interface HttpParts {
  readonly engine: Engine;
  readonly world: World;
  readonly services: readonly Service[];
  readonly worker: Worker;
  readonly door: Door;
  readonly watch: Watch;
  readonly keys: Keys;
  readonly meter: Meter;
  /** The audit beside the work; undefined when there is none. */
  readonly audit?: Pick<RunningAudit, "auditStatus" | "auditTroubles"> | undefined;
  /** False while the sample is being put in: until then only the routes of health answer. */
  readonly isSeeded: () => boolean;
}

/** The largest body; an order of 2,000 lines is smaller. */
const bodyBytesMax = 1_000_000;

/** The shop's HTTP interface, not listening yet. */
export async function httpApp(parts: HttpParts): Promise<FastifyInstance> {
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const problem = problemOf(error);
    if (problem.status >= 500) tell(parts.world, problem, request);
    void answerProblem(reply, problem);
  };
  const app = fastify({
    bodyLimit: bodyBytesMax,
    routerOptions: { maxParamLength: 1_000 },
    requestTimeout: 60_000,
    frameworkErrors: fail,
    clientErrorHandler: endUnreadable,
  });
  readJsonBodies(app);
  app.setErrorHandler(fail);
  app.setNotFoundHandler((request, reply) =>
    answerProblem(reply, new Problem("route-unknown", `There is no ${request.method} ${pathOf(request)}.`)),
  );
  await app.register(helmet, { contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } } });
  followRequests(app, parts.meter.traces);
  await addGuard(app, parts.keys);
  app.addHook("onRequest", async (request) => {
    if (parts.isSeeded() || pathOf(request).startsWith("/health/")) return;
    throw new Problem("starting", "The sample catalogue and its stock are being put in; try again in a moment.", {
      headers: { "retry-after": "1" },
    });
  });
  app.addHook("preValidation", checkParameters);
  // What waits for an order would hold up the end by up to half a minute.
  app.addHook("preClose", async () => parts.watch.release());
  const notes = noteRoutes(app);
  const taken = methodsByPath(app);
  addMetrics(app, parts);
  addHealth(app, parts);
  addOrders(app, parts, openJourneys(parts.engine));
  addOrderLists(app, parts);
  addOrderEvents(app, parts);
  addProducts(app, parts);
  addStock(app, parts);
  addStockMovements(app, parts);
  addShipments(app, parts);
  addPayments(app, parts);
  addLetters(app, parts);
  addLaneCommands(app, parts);
  addRemovedServices(app, parts);
  addParked(app, parts);
  addTopics(app, parts);
  addDocument(app, notes);
  refuseOthers(app, taken);
  return app;
}

function pathOf({ url }: FastifyRequest): string {
  return url.split("?", 1)[0]!;
}

/** Notes which methods each path takes, as routes are added. */
function methodsByPath(app: FastifyInstance): Map<string, Set<string>> {
  const taken = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    const of = taken.get(url) ?? new Set();
    taken.set(url, of);
    for (const name of [method].flat()) of.add(name);
  });
  return taken;
}

/** Answers every other method of each path, before its body is read. */
function refuseOthers(app: FastifyInstance, taken: ReadonlyMap<string, ReadonlySet<string>>): void {
  // Routes that are added here are noted as well, so the list is taken first.
  for (const [url, own] of Array.from(taken)) {
    const allow = [...own].sort().join(", ");
    const refuse = async (request: FastifyRequest): Promise<never> => {
      const text = `${pathOf(request)} takes ${allow}, not ${request.method}.`;
      throw new Problem("method-not-allowed", text, { headers: { allow } });
    };
    app.route({
      url,
      method: app.supportedMethods.filter((name) => !own.has(name)),
      onRequest: refuse,
      handler: refuse,
    });
  }
}

/** A line for what is our fault; what a client sent stays out of it. */
function tell(world: World, problem: Problem, { method, routeOptions, caller }: FastifyRequest): void {
  const cause = problem.cause;
  world.log(problem.status === 500 ? "error" : "warn", "A request could not be carried out.", {
    method,
    route: routeOptions.url,
    key: caller?.id,
    problem: problem.kind,
    error: cause === undefined ? problem.message : messageOf(cause),
    ...(problem.status === 500 && cause instanceof Error ? { stack: cause.stack } : {}),
  });
}
