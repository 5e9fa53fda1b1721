import type { FastifyInstance } from "fastify";
import { Counter, Histogram } from "prom-client";
import { addAuditGauges, addGauges, addProcessGauges } from "../metrics/gauges.ts";
import type { HttpParts } from "./app.ts";
import type { Api } from "./document/api.ts";

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

/** Figures for Prometheus; also of requests, by route, so that there are never more of them than routes. */
export function addMetrics(app: FastifyInstance, parts: HttpParts): void {
  const { registry } = parts.meter;
  const registers = [registry];
  const requests = new Counter({
    name: "waybill_http_requests_total",
    help: "Requests that were answered.",
    labelNames: ["method", "route", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "waybill_http_request_seconds",
    help: "How long requests took.",
    labelNames: ["method", "route"],
    buckets: secondsBuckets,
    registers,
  });
  addProcessGauges(registry);
  addAuditGauges(registry, parts.audit);
  const refresh = addGauges(registry, parts);
  app.addHook("onResponse", async ({ method, routeOptions }, reply) => {
    const route = routeOptions.url ?? "none";
    requests.labels(method, route, String(reply.statusCode)).inc();
    seconds.labels(method, route).observe(reply.elapsedTime / 1_000);
  });

  app.get("/metrics", { config: { api: metrics } }, async (_request, reply) => {
    await refresh();
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}

const metrics: Api = {
  tag: "operations",
  summary: "Figures for Prometheus",
  role: "operator",
  answers: { 200: { text: "The figures.", media: "text/plain" } },
};
