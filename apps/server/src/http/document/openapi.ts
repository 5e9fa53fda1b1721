import { id, sku } from "@waybill/contracts";
import packageJson from "../../../package.json" with { type: "json" };
import { problemKinds, type ProblemKind } from "../problem.ts";
import { tags, type Answered, type Api, type HeaderName } from "./api.ts";
import { jsonSchema, type JsonSchema } from "./json-schema.ts";

/** A route as it was added. */
export interface RouteNote {
  readonly method: string;
  /** As Fastify writes it: `/orders/:id`. */
  readonly url: string;
  readonly api: Api;
}

const idSchema = jsonSchema(id);
const skuSchema = jsonSchema(sku);

/** The parameters of paths, by name. */
export const pathSchemas: Readonly<Record<string, JsonSchema>> = {
  id: idSchema,
  sku: skuSchema,
  letter: {
    type: "string",
    enum: ["confirmed", "shipped", "cancelled", "refunded"],
    description: "which letter of an order",
  },
  lane: { type: "string", pattern: "^\\d{1,4}$", description: "the number of a lane" },
  seq: { type: "string", pattern: "^\\d{1,15}$", description: "the number of an input behind its key" },
  key: {
    type: "string",
    pattern: "^[^\\x00-\\x1f\\x7f-\\x9f]{1,100}$",
    description: "the key that an input is parked under",
  },
  service: { type: "string", pattern: "^[a-z][a-z0-9-]{0,62}$", description: "the name of a service" },
  topic: { type: "string", pattern: "^[a-z][a-z0-9-]{0,62}$", description: "the name of a topic" },
};

const headerSchemas: Readonly<Record<HeaderName, JsonSchema>> = {
  "idempotency-key": {
    type: "string",
    pattern: "^[\\x20-\\x7e]{1,255}$",
    description: "makes a repeat safe: the same key with the same content is the same thing, for ever",
  },
  prefer: {
    type: "string",
    examples: ["wait=10"],
    description: "`wait=N` waits up to N seconds, at most 30, for the end",
  },
  "last-event-id": { type: "string", maxLength: 400, description: "the id of the last event that was seen" },
};

/** What every route may answer, and what those with a key, a body or parameters may. */
function problemsOf({ api, method, url }: RouteNote): readonly ProblemKind[] {
  const kinds = new Set<ProblemKind>(["request-invalid", "fields-invalid", "internal", ...(api.problems ?? [])]);
  if (api.role !== "anybody") for (const kind of access) kinds.add(kind);
  if (!url.startsWith("/health/")) kinds.add("starting");
  if (method !== "GET") kinds.add("unavailable");
  if (api.body !== undefined)
    for (const kind of ["body-unreadable", "body-too-large", "media-type-unsupported"] as const) kinds.add(kind);
  return [...kinds];
}

const access = ["unauthorized", "forbidden", "too-many-requests"] as const;

const problemSchema: JsonSchema = {
  type: "object",
  description: "a problem document of RFC 9457",
  properties: {
    type: { type: "string", pattern: "^urn:waybill:problem:[a-z-]+$" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    errors: {
      type: "array",
      maxItems: 20,
      items: {
        type: "object",
        properties: { field: { type: "string" }, reason: { type: "string" } },
        required: ["field", "reason"],
        additionalProperties: false,
      },
    },
  },
  required: ["type", "title", "status", "detail"],
};

/** The OpenAPI 3.1 document of these routes. */
export function openApi(routes: readonly RouteNote[]): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.url.replace(/:([a-z]+)/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route, path);
  }
  const used = new Set<string>(routes.map(({ api }) => api.tag));
  const told = Object.entries(tags).filter(([name]) => used.has(name));
  return {
    openapi: "3.1.0",
    info: {
      title: "Waybill",
      version: packageJson.version,
      description:
        "Orders, stock, payments and fulfilment as a message-driven shop. docs/http.md tells the whole story.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ key: [] }, {}],
    tags: told.map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        key: {
          type: "http",
          scheme: "bearer",
          description: "a key made with `waybill key new`; needed once there is one",
        },
      },
      schemas: { Problem: problemSchema },
    },
  };
}

function operation(route: RouteNote, path: string): JsonSchema {
  const { api, method } = route;
  const { tag, summary, text, role, body } = api;
  const description = [text, role === "operator" ? "Takes a key of the role operator." : undefined].filter(Boolean);
  return {
    tags: [tag],
    operationId: `${method.toLowerCase()}${path.replace(/[^a-z]+([a-z])/g, (_, letter: string) => letter.toUpperCase()).replace(/\W/g, "")}`,
    summary,
    ...(description.length === 0 ? {} : { description: description.join(" ") }),
    ...(role === "anybody" ? { security: [] } : {}),
    parameters: parameters(api, path),
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: responses(route),
  };
}

function parameters({ query, headers = [] }: Api, path: string): readonly JsonSchema[] {
  const inPath = [...path.matchAll(/\{([a-z]+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: pathSchemas[name]!,
  }));
  const asked = Object.entries((query?.["properties"] ?? {}) as Record<string, JsonSchema>);
  const inQuery = asked.map(([name, schema]) => ({ name, in: "query", schema }));
  const inHeaders = headers.map((name) => ({ name, in: "header", schema: headerSchemas[name] }));
  return [...inPath, ...inQuery, ...inHeaders];
}

function requestBody({ schema, example, isOptional = false }: NonNullable<Api["body"]>): JsonSchema {
  const content = { "application/json": { schema, ...(example === undefined ? {} : { example }) } };
  return { required: !isOptional, content };
}

function responses(route: RouteNote): JsonSchema {
  const said: Record<string, unknown> = {};
  for (const [status, answered] of Object.entries(route.api.answers)) said[status] = response(answered);
  const byStatus = Map.groupBy(problemsOf(route), (kind) => String(problemKinds[kind][0]));
  for (const [status, kinds] of byStatus) {
    const description = kinds.map((kind) => `\`${kind}\`: ${problemKinds[kind][1]}.`).join(" ");
    const problem = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
    const also = said[status] as { description: string; content: object } | undefined;
    said[status] =
      also === undefined
        ? { description, content: problem }
        : { description: `${also.description} ${description}`, content: { ...also.content, ...problem } };
  }
  return said;
}

function response({ text, schema, media = "application/json" }: Answered): JsonSchema {
  if (schema === undefined && media === "application/json") return { description: text };
  return {
    description: text,
    content: { [media]: schema === undefined ? { schema: { type: "string" } } : { schema } },
  };
}
