import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cancel, cancelRows, dispatch } from "./cancels.ts";
import { orderBody, sku, startLiveShop, type LiveShop, type Seen } from "./live-shop.ts";

let shop: LiveShop;
/** The names of letters that the mail server was offered. */
const offered = new Set<string>();
beforeAll(async () => {
  shop = await startLiveShop({
    args: ["--dispatch-after", "3600"],
    env: { WAYBILL_GATEWAY_TIMEOUT_MS: "1000" },
    mail: {
      refuse: (to) => (to.startsWith("nobody@") ? { status: 550, text: "5.1.1 no such mailbox" } : undefined),
      verdict: ({ envelope, messageId = "" }) => {
        const isFirst = !offered.has(messageId);
        offered.add(messageId);
        if (isFirst && envelope.to[0]!.startsWith("busy@")) return { status: 451, text: "4.3.2 come back" };
        return isFirst && envelope.to[0]!.startsWith("lost@") ? "take and hang up" : "take";
      },
    },
  });
});
afterAll(() => shop?.[Symbol.asyncDispose]());

const codes = { cancelled: 200, refused: 409, "no such order": 404 };

describe("a customer who cancels when", () => {
  test.concurrent.each(cancelRows)("$step: $answer", async ({ answer, status, money, letters, reach }) => {
    const orderId = await reach(shop);
    const { status: code, body } = await cancel(shop, orderId);
    expect([code, body.detail !== undefined]).toEqual([codes[answer], true]);
    if (answer === "no such order") return;
    await shop.untilDone(orderId, money);
    await shop.untilMailed(orderId, letters);
    expect((await shop.ask("GET", `/orders/${orderId}`)).body.status).toBe(status);
  });

  test("at once: whatever had happened is undone", async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => shop.place("tok_approved")));
    const answers = await Promise.all(ids.map((id) => cancel(shop, id)));
    for (const { status, body } of answers) expect([status, body.status]).toEqual([200, "cancelled"]);
    for (const id of ids) {
      const isSquare = (done: readonly string[]) => done.length === 0 || done.at(-1) === "void approved";
      await expect.poll(async () => isSquare(await shop.doneFor(id)), { timeout: 10_000 }).toBe(true);
      expect(shop.lettersOf(id).filter((kind) => kind === "cancelled").length).toBeLessThanOrEqual(1);
    }
  });

  test("the page's table says the same", () => {
    const page = readFileSync(new URL("../../docs/order-life.md", import.meta.url), "utf8");
    const [, table = ""] = /## A cancel at every step\n([\s\S]*?)\n## /.exec(page) ?? [];
    const rows = [...table.matchAll(/^\| (.*) \|$/gm)].map(([, row]) => row!.split("|").map((cell) => cell.trim()));
    const listed = (words: readonly string[]) => words.join(", ") || "none";
    expect(rows.slice(2)).toEqual(
      cancelRows.map(({ step, answer, status, money, letters }) => [
        step,
        answer,
        status,
        listed(money),
        listed(letters),
      ]),
    );
  });
});

describe("goods and customers that race", () => {
  test.concurrent("a dispatch and a cancel at once: one of them wins, and the money follows it", async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => shop.place("tok_approved")));
    await Promise.all(ids.map((id) => shop.untilStatus(id, "confirmed")));
    const cancels = await Promise.all(
      ids.map(async (id, at) => {
        const sent = at % 2 === 0 ? dispatch(shop, id) : undefined;
        const asked = cancel(shop, id);
        await (sent ?? dispatch(shop, id));
        return asked;
      }),
    );
    for (const [at, id] of ids.entries()) {
      const { status } = await shop.until(id, (order) => ["cancelled", "completed"].includes(order.status));
      const [end, letter] = status === "cancelled" ? ["void approved", "cancelled"] : ["capture approved", "shipped"];
      expect(cancels[at]!.status).toBe(status === "cancelled" ? 200 : 409);
      await shop.untilDone(id, ["authorise approved", end]);
      await shop.untilMailed(id, ["confirmed", letter]);
    }
  });
});

describe("an order that the shop cannot carry out", () => {
  const place = async (over: Readonly<Record<string, unknown>>): Promise<Seen> =>
    (await shop.ask("POST", "/orders", orderBody("tok_approved", over), { prefer: "wait=20" })).body;

  test.concurrent("names each line that cannot be sold, with why, and costs nothing", async () => {
    await shop.ask("PUT", "/products/OLD", { title: "An old thing", price: "1.00", currency: "GBP", active: false });
    await shop.ask("PUT", "/products/EURO", { title: "A foreign thing", price: "1.00", currency: "EUR" });
    const lines = ["OLD", sku, "EURO", "no such thing"].map((one) => ({ sku: one, quantity: 1 }));
    const order = await place({ lines });
    expect(order).toMatchObject({ status: "rejected", reason: "lines-refused" });
    expect(order.problems?.map((one) => one.sku)).toEqual(["OLD", "EURO", "no such thing"]);
    expect(new Set(order.problems?.map(({ problem }) => problem)).size).toBe(3);
    expect(await shop.doneFor(order.orderId)).toEqual([]);
    expect(shop.lettersOf(order.orderId)).toEqual([]);
  });

  test.concurrent("names each SKU that is short and by how much, with lines of one SKU together, and holds nothing", async () => {
    for (const [one, quantity] of [
      ["CUP", 5],
      ["JAR", 1],
      ["POT", 9],
    ] as const) {
      await shop.ask("PUT", `/products/${one}`, { title: one, price: "1.00", currency: "GBP" });
      await shop.ask("POST", `/stock/${one}/adjustments`, { quantity, reason: "Delivery" });
    }
    const lines = [
      ["CUP", 4],
      ["POT", 9],
      ["JAR", 3],
      ["CUP", 4],
    ].map(([one, quantity]) => ({ sku: one, quantity }));
    const order = await place({ lines });
    expect(order).toMatchObject({ status: "rejected", reason: "out-of-stock" });
    expect(order.short).toEqual([
      { sku: "CUP", wanted: 8, available: 5, short: 3 },
      { sku: "JAR", wanted: 3, available: 1, short: 2 },
    ]);
    expect((await shop.ask("GET", "/stock/POT")).body).toMatchObject({ reserved: 0, available: 9 });
    expect(await shop.doneFor(order.orderId)).toEqual([]);
  });
});

describe("what comes twice, late, or before its cause", () => {
  test.concurrent("an order that is placed twice is one, charged once, with one letter of each kind", async () => {
    const headers = { "idempotency-key": "placed-twice" };
    const body = orderBody("tok_approved");
    const answers = await Promise.all([1, 2, 3].map(() => shop.ask("POST", "/orders", body, headers)));
    const [orderId = "", ...others] = new Set(answers.map((one) => one.body.orderId));
    expect(others).toEqual([]);
    await shop.untilStatus(orderId, "confirmed");
    for (const { status } of await Promise.all([1, 2, 3].map(() => dispatch(shop, orderId)))) expect(status).toBe(200);
    await shop.untilStatus(orderId, "completed");
    expect((await shop.ask("POST", "/orders", body, headers)).body.orderId).toBe(orderId);
    const other = { ...body, lines: [{ sku, quantity: 2 }] };
    expect((await shop.ask("POST", "/orders", other, headers)).status).toBe(409);
    await shop.untilDone(orderId, ["authorise approved", "capture approved"]);
    await shop.untilMailed(orderId, ["confirmed", "shipped"]);
  });

  test.concurrent("goods of an order that is cancelled, or not paid for yet, do not leave", async () => {
    const early = await shop.place("tok_slow");
    await shop.untilStatus(early, "reserved");
    expect((await dispatch(shop, early)).status).toBe(409);
    await cancel(shop, early);
    expect((await dispatch(shop, early)).status).toBe(409);
    expect((await shop.ask("POST", `/shipments/${early}/deliver`)).status).toBe(409);
    await shop.untilDone(early, ["authorise approved", "void approved"]);
  });
});

describe("letters", () => {
  test.concurrent("come as text and page, under the name that their call has", async () => {
    const orderId = await shop.place("tok_approved");
    await shop.untilMailed(orderId, ["confirmed"]);
    const letter = shop.mailbox.find(({ subject }) => subject?.includes(orderId))!;
    expect(letter).toMatchObject({
      from: { name: "Mugs & More", address: "shop@mugs.example" },
      to: [{ address: "tok_approved@customers.example" }],
      messageId: expect.stringMatching(/^<[\w-]+@mugs\.example>$/),
    });
    expect(letter.text).toContain("1 pieces");
    expect(letter.html).toContain(orderId);
  });

  test.concurrent("that the mail server does not take yet are sent again, and come once", async () => {
    const orderId = await shop.place("tok_approved", { customer: { id: "busy", email: "busy@customers.example" } });
    await shop.untilMailed(orderId, ["confirmed"]);
    expect(offered.size).toBeGreaterThan(0);
  });

  test.concurrent("whose answer is lost come twice, under one name", async () => {
    const orderId = await shop.place("tok_approved", { customer: { id: "lost", email: "lost@customers.example" } });
    await shop.untilMailed(orderId, ["confirmed", "confirmed"]);
    const names = shop.mailbox.filter(({ subject }) => subject?.includes(orderId)).map(({ messageId }) => messageId);
    expect(new Set(names).size).toBe(1);
  });

  test.concurrent("that nobody takes hold up no order", async () => {
    const customer = { id: "nobody", email: "nobody@customers.example" };
    const orderId = await shop.place("tok_approved", { customer });
    await shop.untilStatus(orderId, "confirmed");
    await dispatch(shop, orderId);
    expect((await shop.untilStatus(orderId, "completed")).captured).toBeGreaterThan(0);
    expect(shop.lettersOf(orderId)).toEqual([]);
  });
});

test("at the end the gateway's books balance, and no key was used twice", async () => {
  expect(await (await fetch(`${shop.gatewayUrl}/audit`)).json()).toEqual({ findings: [] });
});
