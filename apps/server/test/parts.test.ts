import { readFileSync, readdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mailFolder, sampleProducts } from "@waybill/server";
import type { Mail } from "@waybill/notifications";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { laidOut } from "../src/http/answer.ts";
import { keyOf, waitOf } from "../src/http/headers.ts";
import { keyedId, timedId } from "../src/http/ids.ts";
import { Problem, problemKinds, problemOf } from "../src/http/problem.ts";
import { sampleProductsText } from "../../../scripts/sample-products.ts";

describe("ids", () => {
  test("of a time begin with it and differ", () => {
    const atMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
    const ids = Array.from({ length: 1_000 }, () => timedId(atMs));
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)).toBe(atMs);
    }
  });

  test("of a key are the same for ever, and others for another purpose", () => {
    // The first bytes of the SHA-256 of "order", a line feed and "once", as another program computes it.
    expect(keyedId("order", "once")).toBe("7413cbe5-07c7-8a8b-907c-9d1f32cf3479");
    expect(keyedId("adjustment", "once")).not.toBe(keyedId("order", "once"));
  });
});

describe("headers", () => {
  test.each([
    ["wait=10", 10],
    ["respond-async, wait=5", 5],
    ['wait="7"; foo, handling=lenient', 7],
    ["WAIT = 3", 3],
    ["wait=999", 30],
    ["wait=0", 0],
    ["wait=-1", undefined],
    ["wait=ten", undefined],
    ["await=3", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("Prefer: %s", (text, seconds) => expect(waitOf(text)).toBe(seconds));

  test("an idempotency key is 1 to 255 characters of ASCII", () => {
    expect([keyOf(undefined), keyOf("a b")]).toEqual([undefined, "a b"]);
    for (const wrong of ["", "ü", "a\nb", "x".repeat(256), ["a", "b"]]) expect(() => keyOf(wrong)).toThrow(Problem);
  });
});

describe("problems", () => {
  test("an error that nobody foresaw tells nothing of itself", () => {
    const problem = problemOf(new Error("the password is sesame"));
    expect(problem.document()).toEqual({
      type: "urn:waybill:problem:internal",
      title: "Something went wrong here",
      status: 500,
      detail: "It is written in the server's log.",
    });
    expect((problem.cause as Error).message).toBe("the password is sesame");
  });

  test("only one kind is the server's own fault", () => {
    const statuses = Object.values(problemKinds).map(([status]) => status as number);
    expect(statuses.filter((status) => status >= 500 && status !== 503)).toEqual([500]);
  });
});

test("what is laid out is the same JSON", () => {
  const value = { a: [], b: {}, c: [{ d: 1, e: undefined }, { f: [1, [2]] }], g: null, h: "x\ny", i: { j: true } };
  expect(JSON.parse(laidOut(value))).toEqual(JSON.parse(JSON.stringify(value)));
  expect(laidOut({ list: [{ d: 1, e: 2 }] })).toBe('{\n  "list": [\n    { "d": 1, "e": 2 }\n  ]\n}');
});

test("the sample's products are what the sample's invoices say", async () => {
  const text = readFileSync(new URL("../sample/products-2010-12.jsonl", import.meta.url), "utf8");
  expect(await sampleProductsText()).toBe(text);
  expect(sampleProducts()).toHaveLength(2_730);
});

describe("the mail folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "waybill-mail-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const mail: Mail = { orderId: "o-1", kind: "confirmed", to: "ann@example.org", subject: "Grüße", text: "Hello." };
  const call = (key: string) => ({ key, attempt: 1, signal: new AbortController().signal });
  const files = () => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const eve = Date.UTC(2026, 0, 31, 23, 59, 59);

  test("keeps one file for each key, also over midnight", async () => {
    let nowMs = eve;
    const mailer = mailFolder(folder, () => nowMs);
    expect(await mailer.send(mail, call("k-1"))).toEqual({ kind: "done", value: null });
    nowMs += 2_000;
    await mailer.send({ ...mail, text: "Again." }, call("k-1"));
    await mailer.send(mail, call("../k/2"));
    expect(files().map(({ name, parentPath }) => join(parentPath, name).slice(folder.length))).toEqual([
      "/2026-01-31/k-1.eml",
      "/2026-02-01/..%2Fk%2F2.eml",
    ]);
    expect(readFileSync(join(folder, "2026-01-31", "k-1.eml"), "utf8")).toContain("\r\n\r\nAgain.\r\n");
  });

  test("writes letters that mail programs read", async () => {
    await mailFolder(folder, () => eve).send(mail, call("k-1"));
    expect(readFileSync(join(folder, "2026-01-31", "k-1.eml"), "utf8").split("\r\n")).toEqual([
      "Date: Sat, 31 Jan 2026 23:59:59 +0000",
      "From: Waybill <shop@waybill.example>",
      "To: ann@example.org",
      "Subject: =?UTF-8?B?R3LDvMOfZQ==?=",
      "Message-ID: <k-1@waybill.example>",
      "X-Waybill-Order: o-1",
      "X-Waybill-Kind: confirmed",
      "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: 8bit",
      "",
      "Hello.",
      "",
    ]);
  });
});

test("every kind of problem is documented, with its status, and no other", () => {
  const document = readFileSync(new URL("../../../docs/http.md", import.meta.url), "utf8");
  const rows = [...document.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm)].map(([, kind, status]) => [
    kind,
    Number(status),
  ]);
  expect(new Map(rows as [string, number][])).toEqual(
    new Map(Object.entries(problemKinds).map(([kind, [status]]) => [kind, status])),
  );
});
