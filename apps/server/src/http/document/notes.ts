import type { FastifyInstance } from "fastify";
import type { RouteNote } from "./openapi.ts";

/** Notes every route that tells of itself, as routes are added. */
export function noteRoutes(app: FastifyInstance): readonly RouteNote[] {
  const notes: RouteNote[] = [];
  app.addHook("onRoute", ({ url, method, config }) => {
    const api = config?.api;
    if (api === undefined) return;
    for (const name of [method].flat()) if (name !== "HEAD") notes.push({ method: name, url, api });
  });
  return notes;
}
