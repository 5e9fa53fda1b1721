import type { EffectCall } from "@waybill/messaging";
import { describe, expect, test } from "vitest";
import { inProcessGateway } from "./in-process.ts";

const { signal } = new AbortController();
const call = (key: string): EffectCall => ({ key, attempt: 1, signal });
const amount = { minor: 250, currency: "EUR" };
const authorise = { reference: "order-1", amount, token: "tok_approved" };

describe("the gateway in process", () => {
  test("approves, counts each key once, and finds it", async () => {
    const gateway = inProcessGateway();
    const first = await gateway.authorise(authorise, call("a"));
    expect(await gateway.authorise(authorise, call("a"))).toEqual(first);
    expect(first).toEqual({ kind: "done", value: { paymentId: "pay_a", operationId: "op_a" } });
    const payment = { reference: "order-1", paymentId: "pay_a", amount };
    await gateway.capture(payment, call("c"));
    await gateway.refund(payment, call("r"));
    await gateway.void({ ...payment, amount: { minor: 1, currency: "USD" } }, call("v"));
    expect(gateway.sums).toEqual({
      authorise: { count: 1, minor: new Map([["EUR", 250]]) },
      capture: { count: 1, minor: new Map([["EUR", 250]]) },
      refund: { count: 1, minor: new Map([["EUR", 250]]) },
      void: { count: 1, minor: new Map([["USD", 1]]) },
    });
    expect(gateway.repeats()).toBe(1);
    expect(await gateway.find("a", signal)).toEqual(first);
    expect(await gateway.find("unheard-of", signal)).toBeUndefined();
  });

  test("refuses a key that was used for something else", async () => {
    const gateway = inProcessGateway();
    await gateway.authorise(authorise, call("a"));
    const capture = await gateway.capture({ reference: "order-1", paymentId: "pay_a", amount }, call("a"));
    expect(capture).toEqual({ kind: "refused", reason: "key_reused" });
    expect(gateway.sums.capture.count).toBe(0);
  });

  test("remembers only so many keys, and gives a forgotten one the same receipt", async () => {
    const gateway = inProcessGateway({ keysRemembered: 2 });
    const first = await gateway.authorise(authorise, call("1"));
    await gateway.authorise(authorise, call("2"));
    await gateway.authorise(authorise, call("3"));
    expect(await gateway.find("1", signal)).toBeUndefined();
    expect(await gateway.authorise(authorise, call("1"))).toEqual(first);
  });
});
