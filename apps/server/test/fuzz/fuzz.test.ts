import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { orderBody, testServer, type TestServer } from "../client.ts";
import { fitting, nearly, texts, type Schema } from "./values.ts";

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly schema: Schema;
}
type Content = Readonly<Record<string, { readonly schema?: Schema }>>;
interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content } | undefined>>;
}
interface Case {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}

// A stream of events has no end to wait for; a test of its own listens to it.
const endless = /\/events$/;
const runs = { numRuns: 12, seed: 20_261_123 };

let shop: TestServer;
let operations: readonly { readonly method: string; readonly path: string; readonly of: Operation }[];
let known: readonly string[];
let components: unknown;
/** What came back, of anything. */
const statuses = new Set<number>();
const ajv = new Ajv2020({ strict: false, validateFormats: false });
const validators = new Map<Schema, ValidateFunction>();

function validatorOf(schema: Schema): ValidateFunction {
  const known = validators.get(schema) ?? ajv.compile({ ...schema, components });
  validators.set(schema, known);
  return known;
}

beforeAll(async () => {
  shop = await testServer({ dispatchAfterMs: 3_600_000 });
  await shop.stockUp("mug", 100);
  const { body } = await shop.ask("POST", "/orders", orderBody());
  known = ["mug", body.orderId, "orders", "0"];
  const { body: document } = await shop.ask("GET", "/openapi.json");
  components = document.components;
  operations = Object.entries(document.paths as Record<string, Record<string, Operation>>)
    .filter(([path]) => !endless.test(path))
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, of]) => ({ method, path, of })));
});
afterAll(() => shop[Symbol.asyncDispose]());

function casesOf({ parameters = [], requestBody }: Operation): fc.Arbitrary<Case> {
  const of = (where: Parameter["in"]) => parameters.filter((one) => one.in === where);
  const named = (some: readonly Parameter[]) =>
    Object.fromEntries(some.map(({ name, schema }) => [name, texts(schema, known)]));
  const schema = requestBody?.content["application/json"]?.schema;
  return fc.record({
    path: fc.record(named(of("path"))),
    query: fc.record(named(of("query")), { requiredKeys: [] }),
    body: schema === undefined ? fc.constant(undefined) : fc.oneof(fitting(schema), nearly(schema)),
  });
}

/** What is wrong with an answer; undefined when the document has it so. */
async function wrongWith(method: string, path: string, of: Operation, { path: parts, query, body }: Case) {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parts[name]!));
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) asked.append(name, value);
  const target = asked.size === 0 ? filled : `${filled}?${asked.toString()}`;
  // What a client may not ask for at all is answered before any route, as 404 or 400.
  if (!new URL(target, shop.server.url).pathname.startsWith(path.split("{", 1)[0]!)) return undefined;
  const { status, headers, body: answer } = await shop.ask(method.toUpperCase(), target, body, { prefer: "wait=0" });
  statuses.add(status);
  const told = of.responses[status];
  if (status >= 500 || told === undefined)
    return `${target}: ${status} is not in the document: ${JSON.stringify(answer)}`;
  const type = headers.get("content-type")?.split(";", 1)[0] ?? "";
  const content = told.content?.[type];
  if (content === undefined) return `${target}: ${status} as ${type} is not in the document`;
  if (content.schema === undefined || answer === undefined) return undefined;
  const validate = validatorOf(content.schema);
  if (validate(answer)) return undefined;
  return `${target}: ${status} with ${JSON.stringify(answer)}: ${ajv.errorsText(validate.errors)}`;
}

describe("whatever is asked", () => {
  test("is answered as the document says, and never with a fault of the server", { timeout: 120_000 }, async () => {
    let asked = 0;
    for (const { method, path, of } of operations) {
      const property = fc.asyncProperty(casesOf(of), async (one) => {
        asked += 1;
        expect(await wrongWith(method, path, of, one)).toBeUndefined();
      });
      await fc.assert(property, runs);
    }
    expect(operations.length).toBeGreaterThan(25);
    expect(asked).toBeGreaterThanOrEqual(operations.length * runs.numRuns);
    expect([...statuses]).toEqual(expect.arrayContaining([200, 202, 404, 422]));
    expect((await shop.ask("GET", "/health/ready")).body).toMatchObject({ status: "ready" });
  });
});
