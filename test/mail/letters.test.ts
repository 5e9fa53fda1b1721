import { effective, newKey, startServer, writeKeyFile } from "@waybill/server";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { here } from "../../apps/cli/test/commands/here.ts";
import { startMailServer } from "./mail-server.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "waybill-letters-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const operator = newKey({ role: "operator" });
const shopper = newKey({ role: "shop" });

/** A shop whose letters go to a mail server. */
function start(port: number) {
  const mail = { url: `smtp://127.0.0.1:${port}`, tls: "none", from: "shop@mugs.example" } as const;
  const config = effective({ data, mail, shop: { dispatchAfterMs: 3_600_000 } });
  return startServer({ config, port: 0, seed: false, log: "none" });
}

test("letters that are refused for good are told to operators, by a running server and by its folder", async () => {
  mkdirSync(data, { recursive: true });
  writeKeyFile(join(data, "keys.json"), [operator.entry, shopper.entry]);
  const refuse = (address: string) =>
    address.startsWith("gone") ? { status: 550, text: "5.1.1 no such mailbox" } : undefined;
  await using mail = await startMailServer({ refuse });
  const server = await start(mail.port);
  const ask = async (method: string, path: string, body?: unknown, key = operator.key) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
    const response = await fetch(server.url + path, {
      method,
      headers: body === undefined ? { authorization: headers.authorization } : headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // oxlint-disable-next-line no-explicit-any -- whatever the server says; the test says what it must be
    return { status: response.status, body: (await response.json()) as any };
  };
  await ask("PUT", "/products/mug", { title: "A mug", price: "2.55", currency: "GBP" });
  await ask("POST", "/stock/mug/adjustments", { quantity: 9, reason: "Delivery" });
  expect((await here("letters", "--data", data)).stdout).toBe(
    "Every letter has gone out, is on its way, or was dealt with.\n",
  );
  const orderIds: string[] = [];
  for (const email of ["ann@customers.example", "gone@customers.example", "gone-too@customers.example"]) {
    const order = {
      customer: { id: "c-1", email },
      currency: "GBP",
      lines: [{ sku: "mug", quantity: 1 }],
      payment: { token: "tok_approved" },
    };
    orderIds.push((await ask("POST", "/orders", order)).body.orderId);
  }
  const lost = orderIds.slice(1).toSorted();
  const letters = async (path = "/letters") => (await ask("GET", path)).body;
  await vi.waitUntil(async () => (await letters()).letters.length === 2 && mail.taken.length === 1, 30_000);
  const { letters: all, next: none } = await letters();
  expect(all.map((letter: { orderId: string }) => letter.orderId)).toEqual(lost);
  expect(none).toBeUndefined();
  expect(all[0]).toMatchObject({
    kind: "confirmed",
    to: expect.stringMatching(/^gone/),
    outcome: "refused",
    reason: expect.stringContaining("550"),
    at: expect.stringMatching(/Z$/),
  });

  const first = await letters("/letters?limit=1");
  expect(first.letters).toEqual(all.slice(0, 1));
  const second = await letters(first.next);
  expect([second.letters, second.next]).toEqual([all.slice(1), undefined]);
  expect((await ask("GET", "/letters", undefined, shopper.key)).status).toBe(403);
  const madeUp = await ask("GET", `/letters?cursor=${Buffer.from("\0\ud800").toString("base64url")}`);
  expect(madeUp).toEqual({ status: 200, body: { letters: [] } });

  const shown = (await here("letters", "--data", data)).stdout;
  for (const id of lost) expect(shown).toContain(id);
  expect(shown).not.toContain(orderIds[0]!);
  const told = JSON.parse((await here("letters", "--data", data, "--json")).stdout);
  const nowhere = await ask("POST", `/letters/${orderIds[0]!}/confirmed/again`, { reason: "No." });
  expect([nowhere.status, nowhere.body.type]).toEqual([404, "urn:waybill:problem:not-found"]);
  const wrong = await ask("POST", `/letters/${lost[0]!}/confirmed/again`, { reason: "No.", to: "nobody" });
  expect([wrong.status, wrong.body.errors]).toEqual([422, [expect.objectContaining({ field: "to" })]]);
  expect((await ask("POST", `/letters/${lost[0]!}/confirmed/dismiss`, { reason: "No." }, shopper.key)).status).toBe(
    403,
  );
  await server.close();
  const left = JSON.parse((await here("letters", "--data", data, "--json")).stdout);
  expect(left).toEqual(told);
  expect(left.letters).toHaveLength(2);

  // A person deals with them: one goes to another address, the other one comes back, and then is told on the phone.
  const letter = (name: string, order: string, ...more: readonly string[]) =>
    here(name, order, "confirmed", "--reason", "A word.", ...more, "--data", data);
  const shut = await letter("resend", lost[0]!);
  expect([shut.code, shut.stderr]).toEqual([69, expect.stringContaining("only a server can do this")]);
  await using _ = await start(mail.port);
  const sent = await letter("resend", lost[0]!, "--to", "ann@customers.example");
  expect([sent.code, sent.stdout]).toEqual([0, expect.stringContaining("goes out again to ann@customers.example")]);
  await vi.waitUntil(() => mail.taken.length === 2, 30_000);
  expect((await letter("resend", lost[1]!)).code).toBe(0);
  const listed = async () =>
    JSON.parse((await here("letters", "--data", data, "--json")).stdout).letters as { orderId: string; at: string }[];
  const before = told.letters.find((one: { orderId: string }) => one.orderId === lost[1]) as { at: string };
  await vi.waitUntil(async () => (await listed())[0]?.at.localeCompare(before.at) === 1, 30_000);
  expect((await listed()).map(({ orderId }) => orderId)).toEqual([lost[1]]);
  const off = await letter("dismiss", lost[1]!);
  expect([off.code, off.stdout]).toEqual([0, `The letter "confirmed" of order ${lost[1]} is off the list.\n`]);
  expect(await listed()).toEqual([]);
  const twice = await letter("dismiss", lost[1]!);
  expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining("is known that did not go out")]);
  const book = (await here("tail", "operations", "--json", "--data", data)).stdout.trim().split("\n");
  const words = book.map((line) => JSON.parse(line).body as { outcome: string; reason: string });
  expect(words.map(({ outcome }) => outcome).toSorted()).toEqual(["again", "again", "dismissed"]);
  expect(book.join("")).not.toContain("ann@customers.example");
});
