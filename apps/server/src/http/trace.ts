import type { FastifyInstance } from "fastify";
import { isTraceparent, type RequestSpan, type Traces } from "../metrics/traces.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** W3C trace context that what it makes belongs to: of its span, or as the client sent it. */
    traceparent: string | undefined;
    span: RequestSpan | undefined;
  }
}

/** Gives requests spans when somebody wants them; otherwise what a client sends only travels on with the messages. */
export function followRequests(app: FastifyInstance, traces: Traces | undefined): void {
  app.decorateRequest("traceparent", undefined);
  app.decorateRequest("span", undefined);
  app.addHook("onRequest", async (request) => {
    const { traceparent } = request.headers;
    request.traceparent = isTraceparent(traceparent) ? traceparent : undefined;
    const route = request.routeOptions.url;
    if (traces === undefined || route === undefined) return;
    request.span = traces.request(request.method, route, request.traceparent);
    request.traceparent = request.span.traceparent;
  });
  if (traces === undefined) return;
  app.addHook("onResponse", async ({ span }, { statusCode }) => span?.end(statusCode));
}
