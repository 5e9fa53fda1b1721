import {
  orderCancelled,
  orderPaymentAwaited,
  orderReserved,
  paymentResolve,
  shipmentDispatched,
  type OrderCancelled,
  type OrderReserved,
  type PaymentResolve,
} from "@waybill/contracts";
import type { EffectType, Outcome } from "@waybill/messaging";
import { specification, type Done, type Specification } from "@waybill/messaging/specification";
import { describe, expect, test } from "vitest";
import {
  authorise,
  capture,
  payment,
  payments,
  presence,
  refund,
  sums,
  voidPayment,
  type AuthoriseRequest,
  type PaymentRequest,
  type Receipt,
} from "../src/index.ts";

const reserved: OrderReserved = { orderId: "o-1", amount: 1530, currency: "GBP", token: "tok_1" };
const sent = { orderId: "o-1" };
const cancelled: OrderCancelled = {
  orderId: "o-1",
  customer: { id: "c-1", email: "ann@example.org" },
  reason: "requested",
  detail: "No.",
};

const amount = { minor: 1530, currency: "GBP" };
const authoriseRequest: AuthoriseRequest = { reference: "o-1", amount, token: "tok_1" };
const request: PaymentRequest = { reference: "o-1", paymentId: "pay_1", amount };

const done = (operationId: string, paymentId = "pay_1"): Outcome<Receipt> => ({
  kind: "done",
  value: { paymentId, operationId },
});
const refused = (reason: string): Outcome<Receipt> => ({ kind: "refused", reason });
const unknown: Outcome<Receipt> = { kind: "unknown", reason: "The key is forgotten." };

const authorised = (shop: Specification, outcome = done("op-a")) => shop.settled(authorise, authoriseRequest, outcome);
const asked = (shop: Specification, effect: EffectType<PaymentRequest, Receipt>, outcome: Outcome<Receipt>) =>
  shop.settled(effect, request, outcome);

const typesOf = ({ sent: messages }: Done) => messages.map(({ type }) => type);
const callsOf = ({ effects }: Done) => effects.map(({ name }) => name);
const stateOf = (shop: Specification) => shop.state(payment("o-1"))!;
const sumsOf = (shop: Specification) => sums(stateOf(shop).ledger);

/** A shop whose payment has come as far as is said. */
function given(status: "authorising" | "authorised" | "capturing" | "captured"): Specification {
  const shop = specification(payments());
  shop.when(orderReserved, reserved);
  if (status === "authorising") return shop;
  authorised(shop);
  if (status === "authorised") return shop;
  shop.when(shipmentDispatched, sent);
  if (status === "captured") asked(shop, capture, done("op-c"));
  return shop;
}

describe("the way that all goes well", () => {
  test("given nothing, when an order is reserved, then its money is asked for", () => {
    const shop = specification(payments());
    const { effects, sent: messages } = shop.when(orderReserved, reserved);
    expect(effects).toMatchObject([{ name: "payment.authorise", input: authoriseRequest }]);
    expect(messages).toEqual([]);
  });

  test("given an open authorisation, when it is done, then it is told", () => {
    const shop = given("authorising");
    const body = { orderId: "o-1", amount: 1530, currency: "GBP", paymentId: "pay_1" };
    expect(authorised(shop).sent).toEqual([{ type: "payment.authorised", body }]);
    expect(sumsOf(shop)).toEqual({ authorised: 1530, captured: 0, released: 0, refunded: 0 });
  });

  test("given held money, when the goods leave, then it is captured, and told when that is done", () => {
    const shop = given("authorised");
    expect(shop.when(shipmentDispatched, sent).effects).toMatchObject([{ name: "payment.capture", input: request }]);
    expect(typesOf(asked(shop, capture, done("op-c")))).toEqual(["payment.captured"]);
    expect(sumsOf(shop)).toEqual({ authorised: 1530, captured: 1530, released: 0, refunded: 0 });
  });

  test("given an order that costs nothing, then the gateway is never asked", () => {
    const shop = specification(payments());
    const opened = shop.when(orderReserved, { ...reserved, amount: 0 });
    expect([callsOf(opened), typesOf(opened)]).toEqual([[], ["payment.authorised"]]);
    const taken = shop.when(shipmentDispatched, sent);
    expect([callsOf(taken), typesOf(taken)]).toEqual([[], ["payment.captured"]]);
  });

  test("given an order that costs nothing, when it is cancelled, then it is void at once", () => {
    const shop = specification(payments());
    shop.when(orderReserved, { ...reserved, amount: 0 });
    expect(typesOf(shop.when(orderCancelled, cancelled))).toEqual(["payment.voided"]);
  });
});

describe("the card is declined", () => {
  test("then it is told with the gateway's reason, and nothing was held", () => {
    const shop = given("authorising");
    expect(authorised(shop, refused("insufficient_funds")).sent).toEqual([
      { type: "payment.declined", body: { orderId: "o-1", reason: "insufficient_funds" } },
    ]);
    expect(sumsOf(shop).authorised).toBe(0);
  });

  test("a reason that no message would take is cut", () => {
    const [told] = authorised(given("authorising"), refused("no\u0000".repeat(400))).sent;
    expect((told!.body as { reason: string }).reason.length).toBeLessThanOrEqual(500);
  });
});

describe("the order is cancelled", () => {
  test("before it had a payment: nothing", () => {
    const shop = specification(payments());
    const nothing = shop.when(orderCancelled, cancelled);
    expect([callsOf(nothing), typesOf(nothing)]).toEqual([[], []]);
  });

  test("while authorising: the money that arrives late is given back behind it", () => {
    const shop = given("authorising");
    expect(callsOf(shop.when(orderCancelled, cancelled))).toEqual([]);
    const late = authorised(shop);
    expect([callsOf(late), typesOf(late)]).toEqual([["payment.void"], []]);
    expect(typesOf(asked(shop, voidPayment, done("op-v")))).toEqual(["payment.voided"]);
    expect(sumsOf(shop)).toEqual({ authorised: 1530, captured: 0, released: 1530, refunded: 0 });
  });

  test("while authorising, and the card is declined: nothing is left to give back", () => {
    const shop = given("authorising");
    shop.when(orderCancelled, cancelled);
    const late = authorised(shop, refused("card_declined"));
    expect([callsOf(late), typesOf(late)]).toEqual([[], ["payment.declined"]]);
  });

  test("with the money held: it is voided, once", () => {
    const shop = given("authorised");
    expect(shop.when(orderCancelled, cancelled).effects).toMatchObject([{ name: "payment.void", input: request }]);
    expect(callsOf(shop.when(orderCancelled, cancelled))).toEqual([]);
    asked(shop, voidPayment, done("op-v"));
    expect(callsOf(shop.when(orderCancelled, cancelled))).toEqual([]);
    expect(stateOf(shop).status).toBe("voided");
  });

  test("while capturing: what is taken is told and given back", () => {
    const shop = given("capturing");
    shop.when(orderCancelled, cancelled);
    const taken = asked(shop, capture, done("op-c"));
    expect([callsOf(taken), typesOf(taken)]).toEqual([["payment.refund"], ["payment.captured"]]);
    expect(typesOf(asked(shop, refund, done("op-r")))).toEqual(["payment.refunded"]);
    expect(sumsOf(shop)).toEqual({ authorised: 1530, captured: 1530, released: 0, refunded: 1530 });
  });

  test("with the money taken: it is refunded, once", () => {
    const shop = given("captured");
    expect(callsOf(shop.when(orderCancelled, cancelled))).toEqual(["payment.refund"]);
    expect(typesOf(asked(shop, refund, done("op-r")))).toEqual(["payment.refunded"]);
    expect(callsOf(shop.when(orderCancelled, cancelled))).toEqual([]);
    expect(sumsOf(shop).refunded).toBe(1530);
  });

  test("and the void is refused: a person is told; because it has expired: it is held no longer", () => {
    const shop = given("authorised");
    shop.when(orderCancelled, cancelled);
    expect(typesOf(asked(shop, voidPayment, refused("payment_locked")))).toEqual(["payment.void-refused"]);
    expect(stateOf(shop)).toMatchObject({ status: "attention", pending: "void" });

    const other = given("authorised");
    other.when(orderCancelled, cancelled);
    expect(typesOf(asked(other, voidPayment, refused("authorisation_expired")))).toEqual(["payment.voided"]);
    expect(sumsOf(other)).toMatchObject({ authorised: 1530, released: 1530 });
  });

  test("and the refund is refused: a person is told", () => {
    const shop = given("captured");
    shop.when(orderCancelled, cancelled);
    expect(typesOf(asked(shop, refund, refused("card_closed")))).toEqual(["payment.refund-refused"]);
    expect(sumsOf(shop).refunded).toBe(0);
  });
});

describe("the capture is refused", () => {
  test("then it is told, and needs a person", () => {
    const shop = given("capturing");
    expect(asked(shop, capture, refused("insufficient_funds")).sent).toEqual([
      { type: "payment.capture-refused", body: { orderId: "o-1", reason: "insufficient_funds" } },
    ]);
    expect(stateOf(shop)).toMatchObject({ status: "attention", pending: "capture" });
  });

  test("because the authorisation expired: it is asked for anew, and captured behind it", () => {
    const shop = given("capturing");
    const again = asked(shop, capture, refused("authorisation_expired"));
    expect([callsOf(again), typesOf(again)]).toEqual([["payment.authorise"], []]);
    const renewed = authorised(shop, done("op-b", "pay_2"));
    expect(renewed.effects).toMatchObject([{ name: "payment.capture", input: { ...request, paymentId: "pay_2" } }]);
    expect(typesOf(renewed)).toEqual([]);
    expect(typesOf(asked(shop, capture, done("op-c", "pay_2")))).toEqual(["payment.captured"]);
    expect(sumsOf(shop)).toEqual({ authorised: 3060, captured: 1530, released: 1530, refunded: 0 });
  });

  test("and expired a second time: it is not asked for a third time", () => {
    const shop = given("capturing");
    asked(shop, capture, refused("authorisation_expired"));
    authorised(shop);
    const again = asked(shop, capture, refused("authorisation_expired"));
    expect([callsOf(again), typesOf(again)]).toEqual([[], ["payment.capture-refused"]]);
  });

  test("and the new authorisation is declined: that is a refused capture, which a person may settle by hand", () => {
    const shop = given("capturing");
    asked(shop, capture, refused("authorisation_expired"));
    expect(typesOf(authorised(shop, refused("card_declined")))).toEqual(["payment.capture-refused"]);
    const byHand: PaymentResolve = {
      orderId: "o-1",
      operation: "capture",
      outcome: { kind: "done", paymentId: "transfer-7", operationId: "transfer-7" },
    };
    expect(typesOf(shop.when(paymentResolve, byHand))).toEqual(["payment.captured"]);
    expect(sumsOf(shop)).toEqual({ authorised: 3060, captured: 1530, released: 1530, refunded: 0 });
  });

  test("given no money held when the goods leave, then that is told as a refused capture", () => {
    const shop = given("authorised");
    shop.when(orderCancelled, cancelled);
    expect(typesOf(shop.when(shipmentDispatched, sent))).toEqual(["payment.capture-refused"]);
  });
});

describe("nobody can tell what happened", () => {
  test.each([
    ["authorise", "authorising", (shop: Specification) => authorised(shop, unknown)],
    ["capture", "capturing", (shop: Specification) => asked(shop, capture, unknown)],
  ] as const)("to an %s: it is told, and nothing more is asked", (operation, status, act) => {
    const shop = given(status);
    const told = act(shop);
    expect(callsOf(told)).toEqual([]);
    expect(told.sent).toEqual([
      { type: "payment.uncertain", body: { orderId: "o-1", operation, reason: "The key is forgotten." } },
    ]);
    expect(stateOf(shop)).toMatchObject({ status: "attention", pending: operation });
  });

  const word = (operation: PaymentResolve["operation"], isDone: boolean): PaymentResolve => ({
    orderId: "o-1",
    operation,
    outcome: isDone
      ? { kind: "done", paymentId: "pay_1", operationId: "op-x" }
      : { kind: "refused", reason: "No trace." },
  });

  test.each([
    ["authorise", true, "payment.authorised"],
    ["authorise", false, "payment.declined"],
  ] as const)("a person says of an %s that it is done (%s)", (operation, isDone, told) => {
    const shop = given("authorising");
    authorised(shop, unknown);
    expect(typesOf(shop.when(paymentResolve, word(operation, isDone)))).toEqual([told]);
  });

  test("a person's word on the capture settles it, once", () => {
    const shop = given("capturing");
    asked(shop, capture, unknown);
    expect(typesOf(shop.when(paymentResolve, word("capture", true)))).toEqual(["payment.captured"]);
    expect(typesOf(shop.when(paymentResolve, word("capture", true)))).toEqual([]);
    expect(sumsOf(shop)).toMatchObject({ authorised: 1530, captured: 1530 });
  });

  test("a cancelled order's uncertain authorisation is given back as soon as a person has found it", () => {
    const shop = given("authorising");
    authorised(shop, unknown);
    expect(callsOf(shop.when(orderCancelled, cancelled))).toEqual([]);
    expect(callsOf(shop.when(paymentResolve, word("authorise", true)))).toEqual(["payment.void"]);
  });

  test("a person's word counts only on what is pending, and only where a person is needed", () => {
    const shop = given("capturing");
    expect(typesOf(shop.when(paymentResolve, word("capture", true)))).toEqual([]);
    asked(shop, capture, unknown);
    expect(typesOf(shop.when(paymentResolve, word("refund", true)))).toEqual([]);
    const stranger = specification(payments()).when(paymentResolve, word("capture", true));
    expect([callsOf(stranger), typesOf(stranger)]).toEqual([[], []]);
  });
});

describe("the same message twice, late, or before its cause", () => {
  test("a repeated reservation opens nothing, whatever has become of the payment", () => {
    for (const status of ["authorising", "authorised", "capturing", "captured"] as const) {
      const again = given(status).when(orderReserved, reserved);
      expect([callsOf(again), typesOf(again)]).toEqual([[], []]);
    }
  });

  test("a repeated dispatch takes nothing twice", () => {
    for (const status of ["capturing", "captured"] as const) {
      const again = given(status).when(shipmentDispatched, sent);
      expect([callsOf(again), typesOf(again)]).toEqual([[], []]);
    }
  });

  test("a dispatch before the authorisation is known waits", () => {
    expect(() => specification(payments()).when(shipmentDispatched, sent)).toThrow("is not authorised yet");
    expect(() => given("authorising").when(shipmentDispatched, sent)).toThrow("is not authorised yet");
  });

  test("a late result of what is not pending is nothing", () => {
    const shop = given("captured");
    for (const late of [authorised(shop), asked(shop, capture, done("op-2")), asked(shop, refund, done("op-3"))]) {
      expect([callsOf(late), typesOf(late)]).toEqual([[], []]);
    }
    expect(sumsOf(shop)).toEqual({ authorised: 1530, captured: 1530, released: 0, refunded: 0 });
  });
});

describe("whether the gateway is there", () => {
  const awaited = (shop: Specification) => shop.when(orderPaymentAwaited, { orderId: "o-1" });
  const seen = (shop: Specification) => shop.settled(presence, { reference: "o-1" }, { kind: "done", value: null });

  test("is asked while it has not decided, in a queue of its own, and told as soon as it answers", () => {
    const shop = given("authorising");
    expect(callsOf(awaited(shop))).toEqual(["gateway.presence"]);
    expect(presence.queue).not.toBe(authorise.queue);
    expect(seen(shop).sent).toEqual([{ type: "payment.outstanding", body: { orderId: "o-1" } }]);
    expect(stateOf(shop).status).toBe("authorising");
  });

  test("means nothing once it has decided, also between the question and the answer", () => {
    expect(callsOf(awaited(given("authorised")))).toEqual([]);
    const shop = given("authorising");
    awaited(shop);
    authorised(shop);
    expect(seen(shop).sent).toEqual([]);
  });

  test("is told of a payment that only a person can tell of, so that the goods are not held for ever", () => {
    const shop = given("authorising");
    authorised(shop, unknown);
    awaited(shop);
    expect(typesOf(seen(shop))).toEqual(["payment.outstanding"]);
  });
});
