import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Deployment } from "./deployment.ts";
import { serve, serveBy, type ServerProcess } from "./server-process.ts";
import { gatewayLedger, letters } from "./witnesses.ts";

const waybill = fileURLToPath(new URL("../../apps/cli/bin/waybill.js", import.meta.url));

interface Seen {
  readonly orderId: string;
  readonly status: string;
  readonly reason?: string;
  readonly detail?: string;
  readonly attention?: string;
  readonly captured: number;
  readonly total: number;
  readonly history: readonly { readonly type: string; readonly topic: string; readonly offset: number }[];
}

const sku = "85123A";

/** Every way that an order's life can take, through a server that was started as people start it. */
export function testOrderLife(engine: string, deploy: () => Promise<Deployment>): void {
  describe(`an order's life on ${engine}`, () => {
    const data = mkdtempSync(join(tmpdir(), "waybill-life-"));
    let deployment: Deployment;
    let shop: ServerProcess;

    beforeAll(async () => {
      deployment = await deploy();
      // A cancel must come before the goods leave, also where each answer takes its time.
      const leavesAfter = deployment.engine === "embedded" ? "0.7" : "2.5";
      const args = [
        "start",
        "--engine",
        deployment.engine,
        "--data",
        data,
        "--port",
        "0",
        "--dispatch-after",
        leavesAfter,
      ];
      shop = await serveBy(process.execPath, [waybill, ...args], deployment.env);
    });
    afterAll(async () => {
      await shop?.[Symbol.asyncDispose]();
      await deployment?.[Symbol.asyncDispose]();
      rmSync(data, { recursive: true, force: true });
    });

    async function ask(
      method: string,
      path: string,
      body?: unknown,
      url = shop.url,
    ): Promise<{ status: number; body: Seen }> {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const headers = { prefer: "wait=30", ...(body === undefined ? {} : { "content-type": "application/json" }) };
      const response = await fetch(url + path, { method, headers, ...sent });
      return { status: response.status, body: (await response.json()) as Seen };
    }

    /** Places an order with a card's token and waits until it is settled. */
    async function place(token: string, quantity = 1, url = shop.url): Promise<Seen> {
      const customer = { id: token, email: `${token}@customers.example` };
      const body = { customer, currency: "GBP", lines: [{ sku, quantity }], payment: { token } };
      return (await ask("POST", "/orders", body, url)).body;
    }

    /** Places an order and does not wait. */
    async function begin(token: string, url = shop.url): Promise<string> {
      const customer = { id: token, email: `${token}@customers.example` };
      const body = JSON.stringify({ customer, currency: "GBP", lines: [{ sku, quantity: 1 }], payment: { token } });
      const response = await fetch(`${url}/orders`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      expect(response.status).toBe(202);
      return ((await response.json()) as Seen).orderId;
    }

    async function untilStatus(orderId: string, status: string, url = shop.url): Promise<Seen> {
      return vi.waitUntil(
        async () => {
          const { body } = await ask("GET", `/orders/${orderId}`, undefined, url);
          return body.status === status ? body : undefined;
        },
        { timeout: 20_000, interval: 10 },
      );
    }

    /** What the gateway did for an order, by its own ledger: `authorise approved`. */
    async function doneFor(orderId: string, gatewayUrl = shop.gatewayUrl): Promise<readonly string[]> {
      const ledger = await gatewayLedger(gatewayUrl);
      return ledger.filter(({ reference }) => reference === orderId).map(({ kind, result }) => `${kind} ${result}`);
    }

    async function untilMailed(orderId: string, kinds: readonly string[], folder = data): Promise<void> {
      const mailed = () => letters(folder).filter((letter) => letter.orderId === orderId);
      await vi.waitUntil(() => mailed().length >= kinds.length, { timeout: 10_000 });
      expect(new Set(mailed().map(({ kind }) => kind))).toEqual(new Set(kinds));
      expect(mailed()).toHaveLength(kinds.length);
    }

    describe("a newcomer", () => {
      test("pastes the line that the start prints, and sees an order's whole life", async () => {
        const line = shop.printed.find((one) => one.startsWith("curl "));
        expect(line).toBeDefined();
        const { stdout } = await promisify(execFile)("bash", ["-c", line!]);
        const order = JSON.parse(stdout) as Seen;
        expect(order.status).toBe("completed");
        const types = order.history.map(({ type }) => type);
        for (const type of ["order.confirmed", "order.shipped", "order.completed"]) expect(types).toContain(type);
        for (const { topic, offset } of order.history)
          expect([typeof topic, typeof offset]).toEqual(["string", "number"]);
        expect(await doneFor(order.orderId)).toEqual(["authorise approved", "capture approved"]);
        await untilMailed(order.orderId, ["confirmed", "shipped"]);
      });
    });

    describe("the card", () => {
      test.concurrent.each([
        "tok_approved",
        "tok_slow",
        "tok_error_then_fine",
        "tok_rate_limited",
        "tok_timeout",
        "tok_charged_answer_lost",
        "tok_capture_answer_lost",
      ])("%s is charged once", { timeout: 60_000 }, async (token) => {
        const order = await place(token, 3);
        expect(order).toMatchObject({ status: "completed", total: 885, captured: 885 });
        expect(await doneFor(order.orderId)).toEqual(["authorise approved", "capture approved"]);
        await untilMailed(order.orderId, ["confirmed", "shipped"]);
      });

      test.concurrent.each([
        ["tok_declined", "card_declined"],
        ["tok_insufficient_funds", "insufficient_funds"],
      ])("%s cancels the order", async (token, detail) => {
        const order = await place(token);
        expect(order).toMatchObject({ status: "cancelled", reason: "payment-declined", detail, captured: 0 });
        expect(await doneFor(order.orderId)).toEqual(["authorise refused"]);
        await untilMailed(order.orderId, ["cancelled"]);
        expect((await untilTold(order.orderId, "stock.released")).status).toBe("cancelled");
      });

      test.concurrent("whose capture is refused leaves an order that a person must look at", async () => {
        const order = await place("tok_capture_refused");
        expect(order).toMatchObject({
          status: "unpaid",
          captured: 0,
          attention: "The capture was refused: capture_refused",
        });
        expect(await doneFor(order.orderId)).toEqual(["authorise approved", "capture refused"]);
      });

      test.concurrent("whose authorisation ran out is asked once more", async () => {
        const order = await place("tok_authorisation_expired");
        expect(order).toMatchObject({ status: "unpaid", captured: 0 });
        const once = ["authorise approved", "expire approved", "capture refused"];
        expect(await doneFor(order.orderId)).toEqual([...once, ...once]);
      });
    });

    /** Waits until another service has told something of an order. */
    async function untilTold(orderId: string, type: string): Promise<Seen> {
      return vi.waitUntil(
        async () => {
          const { body } = await ask("GET", `/orders/${orderId}`);
          return body.history.some((entry) => entry.type === type) ? body : undefined;
        },
        { timeout: 10_000, interval: 20 },
      );
    }

    describe("a cancel", () => {
      const cancel = (orderId: string) => ask("POST", `/orders/${orderId}/cancel`, { reason: "Changed my mind." });

      test.concurrent("at once leaves nothing charged", async () => {
        const orderId = await begin("tok_approved");
        expect(await cancel(orderId)).toMatchObject({
          status: 200,
          body: { status: "cancelled", reason: "requested" },
        });
        const isSquare = async () => {
          const done = await doneFor(orderId);
          return done.length !== 1 && !done.includes("capture approved");
        };
        await vi.waitUntil(isSquare, { timeout: 10_000 });
      });

      test.concurrent("while the card is being authorised gives the money back when it comes", async () => {
        const orderId = await begin("tok_slow");
        await untilStatus(orderId, "reserved");
        expect(await cancel(orderId)).toMatchObject({ status: 200, body: { status: "cancelled" } });
        await vi.waitUntil(async () => (await doneFor(orderId)).length === 2, { timeout: 10_000 });
        expect(await doneFor(orderId)).toEqual(["authorise approved", "void approved"]);
        await untilMailed(orderId, ["cancelled"]);
      });

      test.concurrent.each(["tok_approved", "tok_void_answer_lost"])(
        "of a paid order (%s) voids once",
        async (token) => {
          const orderId = await begin(token);
          await untilStatus(orderId, "confirmed");
          expect(await cancel(orderId)).toMatchObject({ status: 200, body: { status: "cancelled", captured: 0 } });
          const { history } = await untilTold(orderId, "payment.voided");
          const types = history.map(({ type }) => type);
          for (const type of ["order.cancel", "order.cancel-requested", "shipment.cancelled", "order.cancelled"]) {
            expect(types).toContain(type);
          }
          expect(await doneFor(orderId)).toEqual(["authorise approved", "void approved"]);
          await untilMailed(orderId, ["confirmed", "cancelled"]);
        },
      );

      test.concurrent("after the dispatch is refused", async () => {
        const order = await place("tok_approved");
        const { status, body } = await cancel(order.orderId);
        expect([status, body.detail]).toEqual([409, "The goods have left."]);
        expect(await doneFor(order.orderId)).toEqual(["authorise approved", "capture approved"]);
      });
    });

    test("more than there is is refused with what is short, and costs nothing", async () => {
      const { available } = (await ask("GET", `/stock/${sku}`)).body as unknown as { available: number };
      const order = (await place("tok_approved", 900_000)) as Seen & { short: readonly { short: number }[] };
      expect(order).toMatchObject({ status: "rejected", reason: "out-of-stock", short: [{ sku, wanted: 900_000 }] });
      expect(order.short[0]!.short).toBeGreaterThanOrEqual(900_000 - available);
      expect(await doneFor(order.orderId)).toEqual([]);
    });

    test("nothing in the gateway's books is out of balance at the end", async () => {
      expect(await (await fetch(`${shop.gatewayUrl}/audit`)).json()).toEqual({ findings: [] });
      // What the gateway does by itself, such as letting an authorisation run out, has no key.
      const keys = (await gatewayLedger(shop.gatewayUrl)).flatMap(({ key }) => key ?? []);
      expect(new Set(keys).size).toBe(keys.length);
      expect(await shop.end("SIGTERM")).toBe(0);
    });

    // Last, since its shop works where the first one did.
    test("money that comes after the deadline is given back", { timeout: 60_000 }, async () => {
      const folder = mkdtempSync(join(tmpdir(), "waybill-deadline-"));
      try {
        const { config } = deployment;
        await using late = await serve({ config, data: folder, port: 0, paymentDeadlineMs: 500 });
        const order = await place("tok_slow", 1, late.url);
        expect(order).toMatchObject({ status: "cancelled", reason: "payment-timeout", captured: 0 });
        const done = () => doneFor(order.orderId, late.gatewayUrl);
        await vi.waitUntil(async () => (await done()).length === 2, { timeout: 10_000 });
        expect(await done()).toEqual(["authorise approved", "void approved"]);
        await untilMailed(order.orderId, ["cancelled"], folder);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
}
