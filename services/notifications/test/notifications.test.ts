import {
  letterResolve,
  orderCancelled,
  orderConfirmed,
  orderRefunded,
  orderShipped,
  type OrderCancelled,
} from "@waybill/contracts";
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

const refused = { kind: "refused", reason: "550 mailbox unknown" } as const;

/** A shop whose letter to ann was refused. */
function givenLost() {
  const shop = given();
  const mail = mailOf(shop.when(orderShipped, { orderId, customer }));
  shop.settled(sendMail, mail, refused);
  return { shop, mail, lost: () => shop.state(undelivered(`${orderId}/shipped`)) };
}

test("given a letter that was refused, when a person dismisses it, then it is off the list and is not sent", () => {
  const { shop, lost } = givenLost();
  const dismiss = { orderId, letter: "shipped", outcome: { kind: "dismissed" } } as const;
  expect(shop.when(letterResolve, dismiss).effects).toEqual([]);
  expect(lost()).toBeUndefined();
  expect(shop.state(mails(orderId))?.failed).toEqual({ shipped: "refused: 550 mailbox unknown" });
});

test("given a letter that was refused, when it shall go out again, then it does, once, and comes back if it fails again", () => {
  const { shop, mail, lost } = givenLost();
  const again = { orderId, letter: "shipped", outcome: { kind: "again" } } as const;
  expect(mailOf(shop.when(letterResolve, again))).toEqual(mail);
  expect(lost()).toBeUndefined();
  expect(shop.state(mails(orderId))).toEqual({ written: ["shipped"], failed: {} });
  expect(shop.when(letterResolve, again).effects).toEqual([]);
  shop.settled(sendMail, mail, refused);
  expect(lost()).toMatchObject({ to: "ann@example.org", reason: "550 mailbox unknown" });
});

test("given a letter to a wrong address, when a person knows the right one, then it goes there", () => {
  const { shop, mail } = givenLost();
  const outcome = { kind: "again", to: "ann@example.com" } as const;
  const done = shop.when(letterResolve, { orderId, letter: "shipped", outcome });
  expect(mailOf(done)).toEqual({ ...mail, to: "ann@example.com" });
});

test("given a lost letter whose text was not kept, when it shall go out again, then its subject is its text", () => {
  const { shop } = givenLost();
  const { text: _, ...kept } = shop.state(undelivered(`${orderId}/shipped`))!;
  shop.given(undelivered(`${orderId}/shipped`), kept);
  const mail = mailOf(shop.when(letterResolve, { orderId, letter: "shipped", outcome: { kind: "again" } }));
  expect(mail.text).toBe("Your order o-1 is on its way.");
});

test("a word on a letter that is not on the list changes nothing", () => {
  const shop = given();
  const outcome = { kind: "again" } as const;
  expect(shop.when(letterResolve, { orderId, letter: "refunded", outcome }).effects).toEqual([]);
  expect(shop.state(mails(orderId))).toBeUndefined();
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
