import type { EffectCall } from "@waybill/messaging";
import { expect, test } from "vitest";
import {
  authorise,
  capture,
  gatewayEffects,
  presence,
  refund,
  voidPayment,
  type PaymentGateway,
} from "../src/index.ts";

const call: EffectCall = { key: "key-1", attempt: 1, signal: new AbortController().signal };

function recording(): { readonly gateway: PaymentGateway; readonly calls: unknown[][] } {
  const calls: unknown[][] = [];
  const answer = (name: string) => async (input: unknown, of: EffectCall) => {
    calls.push([name, input, of.key]);
    return { kind: "done", value: { paymentId: "p", operationId: name } } as const;
  };
  return {
    calls,
    gateway: {
      authorise: answer("authorise"),
      capture: answer("capture"),
      void: answer("void"),
      refund: answer("refund"),
      find: async (key) => void calls.push(["find", key]),
    },
  };
}

test.each([
  [authorise, "authorise"],
  [capture, "capture"],
  [voidPayment, "void"],
  [refund, "refund"],
])("$name reaches the gateway with its key, and asks for that key when in doubt", async (effect, name) => {
  const { gateway, calls } = recording();
  const adapter = gatewayEffects(gateway)[effect.name]!;
  expect(adapter.idempotent).toBe("find");
  expect(await adapter.call("input", call)).toMatchObject({ kind: "done", value: { operationId: name } });
  expect(await adapter.find!("input", call)).toBeUndefined();
  expect(calls).toEqual([
    [name, "input", "key-1"],
    ["find", "key-1"],
  ]);
});

test("all four move money in one queue, and none is ever given up", () => {
  for (const effect of [authorise, capture, voidPayment, refund]) {
    expect(effect).toMatchObject({ queue: "gateway", money: true, atMostOnce: false, giveUpMs: undefined });
  }
});

test("the gateway is there when it answers anything at all, and asks for patience as in any call", async () => {
  const { gateway, calls } = recording();
  const adapterOf = (find: PaymentGateway["find"]) => gatewayEffects({ ...gateway, find })[presence.name]!;
  expect(await gatewayEffects(gateway)[presence.name]!.call("input", call)).toEqual({ kind: "done", value: null });
  expect(calls).toEqual([["find", "waybill-presence"]]);
  const refused = { kind: "refused", reason: "card_declined" } as const;
  expect(await adapterOf(async () => refused).call("input", call)).toEqual({ kind: "done", value: null });
  const busy = { kind: "again", reason: "rate_limited", afterMs: 1_000 } as const;
  expect(await adapterOf(async () => busy).call("input", call)).toEqual(busy);
  const away = adapterOf(async () => Promise.reject(new Error("ECONNREFUSED")));
  await expect(away.call("input", call)).rejects.toThrow("ECONNREFUSED");
});

test("how long the gateway remembers a key is told to the engine", () => {
  const { gateway } = recording();
  expect(gatewayEffects({ ...gateway, keyTtlMs: 60_000 })[capture.name]!.keyTtlMs).toBe(60_000);
  expect(gatewayEffects(gateway)[capture.name]!.keyTtlMs).toBeUndefined();
  expect(gatewayEffects({ ...gateway, concurrency: 7 })[capture.name]!.concurrency).toBe(7);
});

test("the presence is asked for beside the other calls, and holds them up with itself", () => {
  expect(presence.queue.split("/")).toEqual([authorise.queue, "presence"]);
});
