import { Validator } from "@seriousme/openapi-schema-validator";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemKinds } from "../src/http/problem.ts";
import { testServer, type TestServer } from "./client.ts";

const require = createRequire(import.meta.url);
const linter = require.resolve("@redocly/cli/bin/cli.js");

let shop: TestServer;
// oxlint-disable-next-line no-explicit-any -- whatever the document holds; the tests say what it must
let document: any;
beforeAll(async () => {
  shop = await testServer();
  document = (await shop.ask("GET", "/openapi.json")).body;
});
afterAll(() => shop[Symbol.asyncDispose]());

describe("the OpenAPI document", () => {
  test("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  test("leaves the linter of the ecosystem nothing to say, by its strictest rules", async () => {
    const folder = mkdtempSync(join(tmpdir(), "waybill-openapi-"));
    try {
      const file = join(folder, "openapi.json");
      writeFileSync(file, JSON.stringify(document));
      const args = [linter, "lint", file, "--extends=recommended-strict", "--format=json"];
      const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
      const { stdout } = spawnSync(process.execPath, args, { env, cwd: folder, encoding: "utf8" });
      const { totals, problems } = JSON.parse(stdout) as { totals: object; problems: readonly { message: string }[] };
      expect(problems.map(({ message }) => message)).toEqual([]);
      expect(totals).toEqual({ errors: 0, warnings: 0, ignored: 0 });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("has every route that the server has", async () => {
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(routes).toEqual(
      expect.arrayContaining([
        "POST /orders",
        "GET /orders",
        "GET /orders/{id}",
        "GET /orders/{id}/events",
        "POST /orders/{id}/cancel",
        "GET /stock/{sku}/movements",
        "POST /shipments/{id}/dispatch",
        "POST /shipments/{id}/deliver",
        "GET /health/live",
        "GET /health/ready",
        "GET /openapi.json",
      ]),
    );
    // A path that the document does not have is one that the server does not know.
    const { headers } = await shop.ask("DELETE", "/orders");
    expect(headers.get("allow")).toBe("GET, HEAD, POST");
  });

  test("names each operation once and says who may use it", () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods as object));
    const names = operations.map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { responses, security } of operations)
      expect(Object.hasOwn(responses, "401")).toBe(security === undefined);
  });

  test("has the schemas that the routes check with", () => {
    const { schema } = document.paths["/orders"].post.requestBody.content["application/json"];
    expect(schema.required.toSorted()).toEqual(["currency", "customer", "lines", "payment"]);
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties.currency.enum).toContain("GBP");
    expect(schema.properties.lines).toMatchObject({ minItems: 1, maxItems: 2_000 });
  });

  test("tells of every kind of problem, and so does its page", () => {
    const text = JSON.stringify(document);
    const beforeRoutes = new Set(["route-unknown", "method-not-allowed", "request-timeout", "headers-too-large"]);
    const kinds = Object.keys(problemKinds).filter((kind) => !beforeRoutes.has(kind));
    expect(kinds.filter((kind) => !text.includes(`\`${kind}\``))).toEqual([]);
  });
});

describe("docs/http.md", () => {
  const page = readFileSync(new URL("../../../docs/http.md", import.meta.url), "utf8");

  test("has every route, and who may use it", () => {
    const told = new Map(
      [...page.matchAll(/^\| `(\w+ \/[^`?]*)[^`]*` \| (\w+) \|/gm)].map(([, route, who]) => [route, who]),
    );
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods as object).map(([method, { security, description = "" }]) => {
        const role = description.includes("role operator") ? "operator" : "shop";
        return [`${method.toUpperCase()} ${path}`, security === undefined ? role : "anybody"] as const;
      }),
    );
    expect(told).toEqual(new Map(routes));
  });

  test("has every kind of problem with its status", () => {
    const told = [...page.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm)].map(([, kind, status]) => [
      kind,
      Number(status),
    ]);
    const kinds = Object.entries(problemKinds).map(([kind, [status]]) => [kind, status]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(kinds));
  });
});

test("a page shows it, with nothing from elsewhere", async () => {
  const { status, text, headers } = await shop.ask("GET", "/docs");
  expect([status, headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  for (const path of Object.keys(document.paths)) expect(text).toContain(`<code>${path}</code>`);
  expect(text).not.toMatch(/<script|https?:\/\//);
  expect(text.match(/(?:href|src)="[^"#][^"]*"/g)?.map((one) => one.slice(6, -1))).toEqual([
    "/docs/style.css",
    "/openapi.json?pretty",
  ]);
  expect((await shop.ask("GET", "/docs/style.css")).headers.get("content-type")).toBe("text/css; charset=utf-8");
});
