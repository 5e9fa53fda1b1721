import { describe, expect, test } from "vitest";
import { allWorkspaces, bareService, filesEnding, isTest, textOf } from "./boundaries/files.ts";
import { impurities, isPure, trespasses } from "./boundaries/layers.ts";
import { parse } from "./boundaries/parse.ts";

const workspaces = allWorkspaces();
const sources = filesEnding(".ts", ".js").map((path) => ({ path, parsed: parse(path, textOf(path)) }));

const importsOf = (text: string) => parse("snippet.ts", text).imports.map(({ from }) => from);
// A service that is a folder only, as `waybill new service` writes one.
const withLoyalty = [...workspaces, bareService("services/loyalty")];
const trespassesOf = (path: string, text: string) => trespasses(path, parse(path, text), withLoyalty);
const impuritiesOf = (text: string, path = "services/orders/src/snippet.ts") => impurities(path, parse(path, text));

describe("the repository", () => {
  test("has something to look at", () => {
    const purely = sources.filter(({ path }) => isPure(path));
    expect(sources.length).toBeGreaterThan(200);
    expect(purely.length).toBeGreaterThan(50);
    expect(sources.filter(({ path }) => isTest(path)).length).toBeGreaterThan(30);
    expect(sources.flatMap(({ parsed }) => parsed.imports).length).toBeGreaterThan(600);
  });

  test("has arrows in one direction only, and declares each", () => {
    expect(sources.flatMap(({ path, parsed }) => trespasses(path, parsed, workspaces))).toEqual([]);
  });

  test("asks the world for nothing in the core, in contracts and in services", () => {
    expect(sources.flatMap(({ path, parsed }) => impurities(path, parsed))).toEqual([]);
  });

  test("names no package twice and none after a folder that it is not in", () => {
    const names = workspaces.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { folder, name } of workspaces.filter((one) => one.folder !== ".")) {
      expect(name).toMatch(/^@waybill\//);
      const called = name.slice("@waybill/".length);
      expect([called, ...called.split("-")]).toContain(folder.split("/").at(-1)!);
    }
  });
});

describe("imports are found", () => {
  test.each([
    ["of names", `import { a } from "x";`],
    ["of types", `import type { A } from "x";`],
    ["for what it does", `import "x";`],
    ["of all", `import * as x from "x";`],
    ["over lines", `import {\n  a,\n  b,\n} from\n  "x";`],
    ["that are passed on", `export { a } from "x";`],
    ["that are all passed on", `export * from "x";`],
    ["at run time", `const x = await import("x");`],
    ["within a type", `type X = import("x").X;`],
    ["between others", `import { b } from "x"; /* import "y" */ // import "z"\nconst text = 'import "w"';`],
  ])("%s", (_, text) => {
    expect(importsOf(text)).toEqual(["x"]);
  });

  test("of a thread", () => {
    expect(importsOf(`new Worker(new URL("./writer.ts", import.meta.url));`)).toEqual(["./writer.ts"]);
  });

  test("and what does not parse is an error", () => {
    expect(() => parse("broken.ts", "import from from from")).toThrow(/broken\.ts does not parse/);
  });
});

describe("an arrow the wrong way is found", () => {
  test.each([
    ["packages/messaging/src/x.ts", `import { orderPlaced } from "@waybill/contracts";`],
    ["packages/messaging/src/x.ts", `import { connect } from "nats";`],
    ["packages/messaging/src/x.ts", `import { type } from "arktype";`],
    ["packages/messaging/src/lane/x.ts", `import { memoryStore } from "@waybill/memory";`],
    ["packages/node/src/x.ts", `import pino from "pino";`],
    ["packages/messaging/src/x.ts", `import { realWorld } from "@waybill/node";`],
    ["packages/contracts/src/x.ts", `import { orders } from "@waybill/orders";`],
    ["packages/contracts/src/x.ts", `import { z } from "zod";`],
    ["services/orders/src/x.ts", `import { payments } from "@waybill/payments";`],
    ["services/orders/src/x.ts", `import type { Payment } from "@waybill/payments";`],
    ["services/orders/test/x.test.ts", `import { payments } from "@waybill/payments";`],
    ["services/orders/src/x.ts", `import { payments } from "../../payments/src/index.ts";`],
    ["services/orders/src/x.ts", `import { sqliteStore } from "@waybill/store-sqlite";`],
    ["services/orders/src/x.ts", `const engine = await import("@waybill/transport-embedded");`],
    ["services/orders/src/x.ts", `import { shop } from "@waybill/server";`],
    ["services/orders/src/x.ts", `import { type } from "arktype";`],
    ["stores/sqlite/src/x.ts", `import { embeddedTransport } from "@waybill/transport-embedded";`],
    ["stores/sqlite/src/x.ts", `import { orderPlaced } from "@waybill/contracts";`],
    ["stores/sqlite/src/x.ts", `import pg from "pg";`],
    ["transports/kafka/src/x.ts", `import { sqliteStore } from "@waybill/store-sqlite";`],
    ["apps/gateway/src/x.ts", `import { payments } from "@waybill/payments";`],
    ["apps/cli/src/x.ts", `import { inflate } from "pako";`],
    ["apps/cli/src/x.ts", `export * from "../../server/src/shop.ts";`],
    ["services/orders/src/rules.ts", `import { type } from "arktype";`],
    ["services/loyalty/src/service.ts", `import { type } from "arktype";`],
    ["services/loyalty/src/service.ts", `import { adapters } from "./outside.ts";`],
    ["services/loyalty/src/outside.ts", `import { Pool } from "undici";`],
    ["services/loyalty/src/service.ts", `import { orders } from "../../orders/src/index.ts";`],
    ["apps/server/src/shop.ts", `export { loyalty } from "../../../services/loyalty/src/index.ts";`],
    ["apps/server/src/own-services.ts", `export { counted } from "../../../services/loyalty/src/rules.ts";`],
  ])("%s: %s", (path, text) => {
    expect(trespassesOf(path, text)).toHaveLength(1);
  });

  test.each([
    [
      "services/orders/src/x.ts",
      `import { when } from "@waybill/messaging"; import { orderPlaced } from "@waybill/contracts";`,
    ],
    [
      "services/orders/test/x.test.ts",
      `import { given } from "@waybill/messaging/specification"; import fc from "fast-check";`,
    ],
    [
      "transports/embedded/src/x.ts",
      `import { openFile } from "@waybill/store-sqlite"; import { join } from "node:path";`,
    ],
    [
      "apps/server/src/x.ts",
      `import { sqliteStore } from "@waybill/store-sqlite"; import { orders } from "@waybill/orders";`,
    ],
    ["test/x.test.ts", `import { orders } from "@waybill/orders"; import { test } from "vitest";`],
    ["services/loyalty/src/contract.ts", `import { type } from "arktype";`],
    ["services/loyalty/src/index.ts", `import { adapters } from "./outside.ts";`],
    ["services/loyalty/test/outside.test.ts", `import { adapters } from "../src/outside.ts";`],
    ["services/loyalty/src/outside.ts", `import type { Voucher } from "./service.ts";`],
    ["apps/server/src/own-services.ts", `export { loyalty } from "../../../services/loyalty/src/index.ts";`],
  ])("and one the right way is not: %s: %s", (path, text) => {
    expect(trespassesOf(path, text)).toEqual([]);
  });
});

describe("what asks the world is found", () => {
  test.each([
    ["Date.now", `const at = Date.now();`],
    ["Date.now", `const clock = { now: Date.now };`],
    ["Date.now", `const at = Date["now"]();`],
    ["new Date()", `const at = new Date().toISOString();`],
    ["new Date()", `const at = new Date;`],
    ["Date()", `const at = Date();`],
    ["Math.random", `const luck = Math.random() < 0.5;`],
    ["setTimeout", `setTimeout(() => {}, 10);`],
    ["setInterval", `const tick = setInterval(run, 10);`],
    ["setImmediate", `await new Promise((done) => setImmediate(done));`],
    ["AbortSignal.timeout", `fetchIt({ signal: AbortSignal.timeout(10) });`],
    ["performance", `const at = performance.now();`],
    ["performance", `const { now } = performance;`],
    ["crypto", `const id = crypto.randomUUID();`],
    ["process", `const url = process.env["URL"];`],
    ["process", `const all = { process };`],
    ["fetch", `const answer = await fetch("https://example.org");`],
    ["globalThis", `const at = globalThis.Date.now();`],
    ["console", `console.log("here");`],
    ["node:fs readFileSync", `import { readFileSync } from "node:fs";`],
    ["node:crypto randomUUID", `import { randomUUID } from "node:crypto";`],
    ["node:timers/promises", `const timers = await import("node:timers/promises");`],
  ])("%s in %s", (what, text) => {
    expect(impuritiesOf(text)).toContain(`services/orders/src/snippet.ts uses ${what}`);
  });

  test.each([
    `const at = new Date(out.nowMs).toISOString();`,
    `const steps = { process: 1, fetch: true }; steps.process += 1;`,
    `interface Steps { readonly process: string; performance: number }`,
    `// setTimeout(later, Date.now())`,
    `const text = "Date.now() and Math.random()";`,
    `queueMicrotask(flush);`,
    `const fetch = this.partial(reader); read(fetch);`,
    `const largest = Math.max(1, 2);`,
  ])("and what does not is passed: %s", (text) => {
    expect(impuritiesOf(text)).toEqual([]);
  });

  test("a hash is allowed where ids are made, and there only", () => {
    const text = `import { hash } from "node:crypto";`;
    expect(impuritiesOf(text, "packages/messaging/src/ids.ts")).toEqual([]);
    expect(impuritiesOf(text, "packages/messaging/src/worker.ts")).toHaveLength(1);
  });

  test("apps and tests may ask", () => {
    expect(impuritiesOf("const at = Date.now();", "packages/node/src/world.ts")).toEqual([]);
    expect(impuritiesOf("const at = Date.now();", "services/orders/test/x.test.ts")).toEqual([]);
    expect(impuritiesOf("await fetch(url);", "services/loyalty/src/outside.ts")).toEqual([]);
  });
});
