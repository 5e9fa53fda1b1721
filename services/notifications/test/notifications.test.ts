import { orderCancelled, orderConfirmed, orderRefunded, orderShipped, type OrderCancelled } from "@waybill/contracts";
import type { EffectCall } from "@waybill/messaging";
import { specification } from "@waybill/messaging/specification";
import { expect, test } from "vitest";
import { mailEffects, mails, notifications, sendMail, undelivered, type Mail } from "../src/index.ts";

const orderId = "o-1";
const customer = { id: "c-1", email: "ann@example.org" };
const confirmed = { orderId, customer, currency: "GBP", total: 1530, lines: [{ sku: "mug", quantity: 6 }] } as const;
const cancelledFor = (reason: OrderCancelled["reason"]): OrderCancelled => ({
  orderId,
  customer,
  reason,
  detail: "No.",
});

const given = () => specification(notifications());
const mailOf = (done: { readonly effects: readonly { readonly input: unknown }[] }) => done.effects[0]!.input as Mail;

test("given a confirmed order, then the customer hears what it is and what it costs", () => {
  const mail = mailOf(given().when(orderConfirmed, confirmed));
  expect(mail).toMatchObject({ orderId, kind: "confirmed", to: "ann@example.org" });
  expect(mail.text).toContain("6 pieces for 15.30 GBP");
});

test("given a shipped order, then the customer hears it, with the carrier's name for it where there is one", () => {
  expect(mailOf(given().when(orderShipped, { orderId, customer, tracking: "1Z 9" })).text).toContain("1Z 9");
  expect(mailOf(given().when(orderShipped, { orderId, customer })).text).not.toContain("undefined");
});

test.each([
  ["requested", "as you asked"],
  ["payment-declined", "declined"],
  ["payment-timeout", "in time"],
] as const)("given an order cancelled for %s, then the customer hears why", (reason, words) => {
  expect(mailOf(given().when(orderCancelled, cancelledFor(reason)))).toMatchObject({
    kind: "cancelled",
    text: expect.stringContaining(words),
  });
});

test("given a refund, then the customer hears how much", () => {
  const mail = mailOf(given().when(orderRefunded, { orderId, customer, currency: "JPY", amount: 300 }));
  expect(mail).toMatchObject({ kind: "refunded", text: expect.stringContaining("300 JPY") });
});

test("given a letter that was written, when its cause comes again, then no second one is", () => {
  const shop = given();
  shop.when(orderConfirmed, confirmed);
  expect(shop.when(orderConfirmed, confirmed).effects).toEqual([]);
  expect(shop.when(orderShipped, { orderId, customer }).effects).toHaveLength(1);
  expect(shop.state(mails(orderId))?.written).toEqual(["confirmed", "shipped"]);
});

test("given a letter that does not go out, then that is noted with the reason, and the others are not touched", () => {
  const shop = given();
  const mail = mailOf(shop.when(orderConfirmed, confirmed));
  shop.settled(sendMail, mail, { kind: "done", value: null });
  expect(shop.state(mails(orderId))).toEqual({ written: ["confirmed"], failed: {} });
  shop.settled(sendMail, mail, { kind: "refused", reason: "mailbox unknown" });
  expect(shop.state(mails(orderId))).toEqual({
    written: ["confirmed"],
    failed: { confirmed: "refused: mailbox unknown" },
  });
});

test("given a letter that went out, then its result touches no state", () => {
  const result = notifications().rules.find(({ on }) => on.kind === "result")!;
  const mail = { orderId, kind: "shipped" };
  const step = result.steps[0] as unknown as (result: unknown) => readonly { id: string }[];
  const touched = (outcome: unknown) => step({ input: mail, outcome });
  expect(touched({ kind: "done", value: null })).toEqual([]);
  expect(touched({ kind: "refused", reason: "550" }).map(({ id }) => id)).toEqual([orderId, `${orderId}/shipped`]);
});

test("given letters that went out, were refused and were given up, then the last two are kept for whoever looks", () => {
  const shop = given();
  const done = mailOf(shop.when(orderConfirmed, confirmed));
  shop.settled(sendMail, done, { kind: "done", value: null });
  const refused = mailOf(shop.when(orderShipped, { orderId, customer }));
  shop.settled(sendMail, refused, { kind: "refused", reason: "550 mailbox unknown" });
  const old = mailOf(shop.when(orderRefunded, { orderId, customer, currency: "JPY", amount: 300 }));
  shop.settled(sendMail, old, { kind: "unknown", reason: "given up" });
  const kept = (kind: string) => shop.state(undelivered(`${orderId}/${kind}`));
  expect(kept("confirmed")).toBeUndefined();
  expect(kept("shipped")).toMatchObject({
    to: "ann@example.org",
    subject: "Your order o-1 is on its way",
    outcome: "refused",
    reason: "550 mailbox unknown",
    atMs: expect.any(Number),
  });
  expect(kept("refunded")).toMatchObject({ orderId, kind: "refunded", outcome: "unknown", reason: "given up" });
});

test("a mailer is handed the letter and its key, and repeats are told to be possible unless it knows keys", async () => {
  const seen: unknown[] = [];
  const mailer = {
    send: async (mail: Mail, { key }: EffectCall) => {
      seen.push(mail, key);
      return { kind: "done", value: null } as const;
    },
  };
  const adapter = mailEffects(mailer)[sendMail.name]!;
  await adapter.call("the letter", { key: "k", attempt: 1, signal: new AbortController().signal });
  expect(seen).toEqual(["the letter", "k"]);
  expect(adapter.idempotent).toBe("none");
  expect(mailEffects(mailer, { keyTtlMs: 60_000 })[sendMail.name]).toMatchObject({
    idempotent: "key",
    keyTtlMs: 60_000,
  });
});
