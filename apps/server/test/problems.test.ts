import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { orderBody, testServer, type TestServer } from "./client.ts";

let shop: TestServer;
beforeAll(async () => {
  shop = await testServer();
});
afterAll(() => shop[Symbol.asyncDispose]());

const line = { sku: "mug", quantity: 1 };

describe("fields that are not valid", () => {
  test.each([
    ["no object", [], "body", "must be a JSON object"],
    ["a text", '"order"', "body", "must be a JSON object"],
    ["null", "null", "body", "must be a JSON object"],
    ["an unknown field", orderBody({ colour: "red" }), "colour", "is not known; leave it out"],
    [
      "an unknown field of a line",
      orderBody({ lines: [{ ...line, price: "0.01" }] }),
      "lines[0].price",
      "is not known",
    ],
    ["an id of its own", orderBody({ orderId: "mine" }), "orderId", "is set by the shop; leave it out"],
    ["a time of its own", orderBody({ placedAtMs: 1 }), "placedAtMs", "is set by the shop; leave it out"],
    ["no customer", orderBody({ customer: undefined }), "customer", "must be"],
    ["no lines", orderBody({ lines: [] }), "lines", "must be non-empty"],
    ["too many lines", orderBody({ lines: Array.from({ length: 2_001 }, () => line) }), "lines", "must be"],
    ["no pieces", orderBody({ lines: [{ sku: "mug", quantity: 0 }] }), "lines[0].quantity", "a whole number from 1"],
    ["negative pieces", orderBody({ lines: [line, { sku: "mug", quantity: -1 }] }), "lines[1].quantity", "from 1"],
    ["half a piece", orderBody({ lines: [{ sku: "mug", quantity: 0.5 }] }), "lines[0].quantity", "a whole number"],
    [
      "too many pieces",
      orderBody({ lines: [{ sku: "mug", quantity: 1_000_001 }] }),
      "lines[0].quantity",
      "to 1,000,000",
    ],
    [
      "pieces beyond all numbers",
      JSON.stringify(orderBody()).replace('"quantity":2', '"quantity":1e999'),
      "lines[0].quantity",
      "must be a whole number from 1 to 1,000,000 (was Infinity)",
    ],
    ["pieces as text", orderBody({ lines: [{ sku: "mug", quantity: "1" }] }), "lines[0].quantity", "(was a string)"],
    ["an unknown currency", orderBody({ currency: "XXX" }), "currency", "must be"],
    ["an address that is none", orderBody({ customer: { id: "c", email: "ann" } }), "customer.email", "must be"],
    ["an empty SKU", orderBody({ lines: [{ sku: "", quantity: 1 }] }), "lines[0].sku", "1 to 100 bytes"],
    ["half a character", orderBody({ lines: [{ sku: "\ud800", quantity: 1 }] }), "lines[0].sku", "1 to 100 bytes"],
    [
      "a control character",
      orderBody({ customer: { id: "a\u0000", email: "a@b.c" } }),
      "customer.id",
      "1 to 200 bytes",
    ],
    ["a card number", orderBody({ payment: { token: "4111 1111" } }), "payment.token", "visible ASCII"],
  ])("%s", async (_name, body, field, reason) => {
    const answer = await shop.ask("POST", "/orders", typeof body === "string" ? body : JSON.stringify(body));
    expect(answer.status).toBe(422);
    expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    expect(answer.body).toMatchObject({
      type: "urn:waybill:problem:fields-invalid",
      title: "Some fields are not valid",
      status: 422,
      errors: [{ field, reason: expect.stringContaining(reason) }],
    });
  });

  test("are all named, up to twenty", async () => {
    const lines = Array.from({ length: 30 }, () => ({ sku: "", quantity: 0 }));
    const { body } = await shop.ask("POST", "/orders", orderBody({ lines }));
    expect(body.detail).toBe("60 fields are not valid.");
    expect(body.errors).toHaveLength(20);
  });
});

describe("a body that is no JSON", () => {
  const bytes = (text: string) => Buffer.from(text, "latin1");
  test.each([
    ["is cut off", bytes('{"customer":'), "The body is not valid JSON: Unexpected end of JSON input."],
    ["has a wrong name", bytes("{customer: 1}"), /property name.* position 1 \(line 1 column 2\)\.$/],
    ["is empty", bytes(""), "The body is empty."],
    ["has a prototype", bytes('{"__proto__":{"a":1}}'), /__proto__.*not taken/],
    ["is in another encoding", bytes('{"customer":{"id":"Ren\xe9"}}'), /not text in UTF-8/],
    ["ends within a character", bytes('"\xe2\x82'), /not text in UTF-8/],
  ])("%s, and the answer says so", async (_name, body, detail) => {
    const headers = { "content-type": "application/json; charset=utf-8" };
    const response = await fetch(`${shop.server.url}/orders`, { method: "POST", headers, body });
    const problem = { type: "urn:waybill:problem:body-unreadable", detail: expect.stringMatching(detail) };
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining(problem)]);
  });

  test("but for a letter of two bytes, or of four", async () => {
    const body = orderBody({ customer: { id: "René 😀".slice(0, 4), email: "a@b.c" }, country: "Österreich 🏔" });
    const { status, body: placed } = await shop.ask("POST", "/orders", body, { prefer: "wait=5" });
    expect([status, placed.customer.id]).toEqual([200, "René"]);
  });
});

describe("requests that cannot be read", () => {
  const json = { "content-type": "application/json" };

  test.each([
    ["no JSON", "POST", "/orders", "{", json, 400, "body-unreadable"],
    ["an empty body", "POST", "/orders", "", json, 400, "body-unreadable"],
    ["a prototype", "POST", "/orders", '{"__proto__":{"a":1}}', json, 400, "body-unreadable"],
    ["text", "POST", "/orders", "hello", { "content-type": "text/plain" }, 415, "media-type-unsupported"],
    [
      "a form",
      "POST",
      "/orders",
      "a=b",
      { "content-type": "application/x-www-form-urlencoded" },
      415,
      "media-type-unsupported",
    ],
    ["a type that is none", "POST", "/orders", "{}", { "content-type": "nonsense" }, 415, "media-type-unsupported"],
    ["a large body", "POST", "/orders", " ".repeat(1_000_001), json, 413, "body-too-large"],
    ["an unknown route", "GET", "/nowhere", undefined, {}, 404, "route-unknown"],
    ["a path that is not UTF-8", "GET", "/orders/%ff", undefined, {}, 400, "request-invalid"],
    ["a long path", "GET", `/orders/${"x".repeat(3_000)}`, undefined, {}, 400, "request-invalid"],
  ])("%s", async (_name, method, path, body, headers, status, kind) => {
    const answer = await shop.ask(method, path, body, headers);
    expect([answer.status, answer.body.type]).toEqual([status, `urn:waybill:problem:${kind}`]);
    expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    expect(answer.body.status).toBe(status);
  });

  test.each([
    ["DELETE", "/orders", "GET, HEAD, POST"],
    ["PUT", "/orders", "GET, HEAD, POST"],
    ["POST", "/products", "GET, HEAD"],
    ["PATCH", "/products/mug", "GET, HEAD, PUT"],
    ["PUT", "/orders/o-1/cancel", "POST"],
    ["POST", "/health/ready", "GET, HEAD"],
  ])("%s %s", async (method, path, allow) => {
    const answer = await shop.ask(method, path, method === "GET" ? undefined : "{");
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
    expect(answer.body.type).toBe("urn:waybill:problem:method-not-allowed");
  });

  test("bytes that are no HTTP end the connection with 400", async () => {
    const socket = connect(Number(new URL(shop.server.url).port), "127.0.0.1");
    socket.end("nonsense\r\n\r\n");
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 400 /);
  });
});
