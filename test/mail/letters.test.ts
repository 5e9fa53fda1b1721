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
  expect((await here("letters", "--data", data)).stdout).toBe("Every letter has gone out, or is on its way.\n");
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
  await server.close();
  const left = JSON.parse((await here("letters", "--data", data, "--json")).stdout);
  expect(left).toEqual(told);
  expect(left.letters).toHaveLength(2);
});
