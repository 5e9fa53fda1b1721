import { startGateway } from "@waybill/server";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { cancel } from "./cancels.ts";
import { lineTo, type Line } from "./line.ts";
import { startLiveShop, waybill, type LiveShop } from "./live-shop.ts";

const paid = ["authorise approved", "capture approved"];
const keyTtlMs = 1_500;
const open = new AsyncDisposableStack();
let shop: LiveShop;
let line: Line;

beforeAll(async () => {
  const data = mkdtempSync(join(tmpdir(), "waybill-gateway-"));
  open.defer(() => rmSync(data, { recursive: true, force: true }));
  const gateway = open.use(await startGateway({ data }));
  line = open.use(await lineTo(gateway.url));
  const env = { WAYBILL_GATEWAY_TIMEOUT_MS: "1000", WAYBILL_GATEWAY_KEY_TTL_MS: String(keyTtlMs) };
  const args = ["--gateway", line.url, "--dispatch-after", "0.1"];
  shop = open.use(await startLiveShop({ args, env, gatewayUrl: gateway.url }));
});
afterAll(() => open.disposeAsync());

const statuses = () => line.passed.map(({ status }) => status);

test("away for longer than the deadline: orders are taken, calls are held up, and all is carried out when it is back", async () => {
  await using patient = await startLiveShop({ args: ["--dispatch-after", "0.1", "--payment-deadline", "2"] });
  await patient.faults({ refuseConnectionsMs: 2_500 });
  const ids = await Promise.all(Array.from({ length: 8 }, () => patient.place("tok_approved")));
  const held = 'waybill_effects_held{service="payments",lane="0",queue="gateway"}';
  await vi.waitUntil(async () => (await patient.figure(held)) === 1, 10_000);
  for (const id of ids) {
    const { captured, total } = await patient.untilStatus(id, "completed");
    expect(captured).toBe(total);
    await patient.untilDone(id, paid);
    await patient.untilMailed(id, ["confirmed", "shipped"]);
  }
  expect(await patient.figure(held)).toBe(0);
});

test("slower than its time limit: it is asked, says that the call is under way, and charges once", async () => {
  await shop.faults({ slowRate: 1, slowMs: 1_300 });
  const gone = new Promise<void>((resolve) => (line.onRequest = () => resolve()));
  const id = await shop.place("tok_approved");
  await gone;
  // Whatever the gateway answers now, it answers after it has taken the call up.
  for (let n = 0; n < 3; n++) await fetch(`${shop.gatewayUrl}/faults`);
  await shop.faults({});
  await shop.untilStatus(id, "completed");
  expect(statuses()).toContain(409);
  await shop.untilDone(id, paid);
});

test("that takes so many calls a second: what it refuses waits as long as it says, and nothing is lost", async () => {
  await shop.faults({ callsPerSecond: 8 });
  const before = line.passed.length;
  const ids = await Promise.all(Array.from({ length: 12 }, () => shop.place("tok_approved")));
  for (const id of ids) await shop.untilStatus(id, "completed");
  await shop.faults({});
  for (const id of ids) await shop.untilDone(id, paid);
  const asked = statuses().slice(before);
  expect(asked).toContain(429);
  // 24 calls are made in four seconds or so. Without patience the shop would have asked again and again.
  expect(asked.filter((status) => status === 429).length).toBeLessThan(60);
});

test("that charges, is lost from sight, and forgets the key: nobody charges again, and a person finds out", async () => {
  line.onRequest = (what) => {
    if (what !== "POST /payments") return;
    line.onRequest = () => undefined;
    // The request goes through; whatever comes after it does not.
    setImmediate(() => (line.cuts = () => true));
  };
  const id = await shop.place("tok_charged_answer_lost");
  await shop.untilDone(id, ["authorise approved"]);
  await shop.faults({ forgetKeysAfterMs: 1 });
  const list = await (await fetch(`${shop.gatewayUrl}/payments?reference=${id}`)).json();
  const [payment] = (list as { readonly payments: readonly { readonly id: string }[] }).payments;
  const oldMs = performance.now() + keyTtlMs;
  await vi.waitUntil(() => performance.now() > oldMs, 10_000);
  line.cuts = () => false;
  const waiting = await shop.until(id, ({ attention }) => attention !== undefined);
  expect(waiting).toMatchObject({ status: "reserved", attention: expect.stringContaining("may have forgotten") });
  expect(await shop.doneFor(id)).toEqual(["authorise approved"]);
  await shop.faults({});
  const said = ["--done", "seen", "--payment", payment!.id, "--reason", "Seen in the gateway's list."];
  const command = [waybill, "resolve", id, "authorise", ...said, "--data", shop.data];
  const { stdout } = await promisify(execFile)(process.execPath, command);
  expect(stdout).toMatch(`The payment of order ${id} is `);
  const done = await shop.untilStatus(id, "completed");
  expect(done.attention).toBeUndefined();
  await shop.untilDone(id, paid);
});

test("away when a customer cancels: the order is cancelled at once, and its money given back later", async () => {
  line.cuts = () => true;
  const id = await shop.place("tok_approved");
  await shop.untilStatus(id, "reserved");
  expect(await cancel(shop, id)).toMatchObject({ status: 200, body: { status: "cancelled", captured: 0 } });
  await shop.untilMailed(id, ["cancelled"]);
  line.cuts = () => false;
  await shop.untilDone(id, ["authorise approved", "void approved"]);
});

test("away when the goods have left: a cancel comes too late, and the money is taken when it is back", async () => {
  line.cuts = (what) => what.endsWith("/capture") || what.startsWith("GET");
  const id = await shop.place("tok_approved");
  await shop.untilStatus(id, "shipped");
  expect((await cancel(shop, id)).status).toBe(409);
  expect(await shop.doneFor(id)).toEqual(["authorise approved"]);
  line.cuts = () => false;
  await shop.untilStatus(id, "completed");
  await shop.untilDone(id, paid);
  await shop.untilMailed(id, ["confirmed", "shipped"]);
});

test("at the end its books balance, and no key was used twice", async () => {
  expect(await (await fetch(`${shop.gatewayUrl}/audit`)).json()).toEqual({ findings: [] });
});
