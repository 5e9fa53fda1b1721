import type { FastifyInstance } from "fastify";
import { answer } from "../answer.ts";
import { openApi, type RouteNote } from "./openapi.ts";
import { documentPage, documentStyle } from "./page.ts";

/** The OpenAPI document of all routes, and a page that shows it. */
export function addDocument(app: FastifyInstance, notes: readonly RouteNote[]): void {
  let made: ReturnType<typeof openApi> | undefined;
  const document = () => (made ??= openApi(notes));

  app.get("/openapi.json", { config: { api: json } }, async (_request, reply) => answer(reply, 200, document()));

  app.get("/docs", { config: { api: page } }, async (_request, reply) =>
    reply
      .header("content-security-policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'")
      .type("text/html; charset=utf-8")
      .send(documentPage(document())),
  );

  app.get("/docs/style.css", { config: { api: style } }, async (_request, reply) =>
    reply.type("text/css; charset=utf-8").send(documentStyle),
  );
}

const json = {
  tag: "document",
  summary: "This interface as an OpenAPI 3.1 document",
  role: "anybody",
  answers: { 200: { text: "The document.", schema: { type: "object" } } },
} as const;

const page = {
  tag: "document",
  summary: "The same as a page",
  role: "anybody",
  answers: { 200: { text: "The page.", media: "text/html" } },
} as const;

const style = {
  tag: "document",
  summary: "How that page looks",
  role: "anybody",
  answers: { 200: { text: "A style sheet.", media: "text/css" } },
} as const;
