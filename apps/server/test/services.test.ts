import { allMessages, allTopics, orderCompleted } from "@waybill/contracts";
import { command, event, service, topic, when, type AnyEffectAdapter } from "@waybill/messaging";
import { ownAdapters, shopContract, shopServices } from "@waybill/server";
import { type } from "arktype";
import { describe, expect, test } from "vitest";

const schema = type({ orderId: "string" });
const options = { schema, subject: (m: { orderId: string }) => m.orderId, samples: [{ orderId: "1" }] };
const gifts = topic("gifts", { writers: ["gifts", "others"] });
const giftsIn = topic("gifts-in", { door: true });
const giftSent = event("gift.sent", { ...options, topic: gifts });
const giftAsk = command("gift.ask", { ...options, topic: giftsIn });

/** A service of one's own that hears of orders and at a door, and says something. */
const own = (name = "gifts") =>
  service(name, {
    on: [orderCompleted, giftAsk].map((on) =>
      when(
        on,
        () => [],
        () => undefined,
      ),
    ),
    sends: name === "gifts" ? [giftSent] : [],
  });

describe("what a shop says", () => {
  test("is its contracts, and what its services declare besides", () => {
    const plain = shopContract(shopServices().slice(0, 7));
    expect(plain).toEqual({ messages: allMessages, topics: allTopics });
    const { messages, topics } = shopContract([...shopServices().slice(0, 7), own()]);
    expect(messages).toEqual([...allMessages, giftSent, giftAsk]);
    expect(topics).toEqual([...allTopics, gifts, giftsIn]);
  });

  test.each([
    ["services", [own(), own()], 'two services of the name "gifts"'],
    ["services", [...shopServices(), own("orders")], 'two services of the name "orders"'],
    [
      "messages",
      [own(), sending(event("gift.sent", { ...options, topic: gifts }))],
      'two messages of the name "gift.s',
    ],
    [
      "topics",
      [own(), sending(event("gift.lost", { ...options, topic: again("gifts") }))],
      'topics of the name "gifts"',
    ],
    ["topics", [sending(event("gift.lost", { ...options, topic: again("orders") }))], 'topics of the name "orders"'],
  ])("has no two %s of one name", (_, services, why) => {
    expect(() => shopContract(services)).toThrow(expect.objectContaining({ code: "CONTRACT_INVALID" }));
    expect(() => shopContract(services)).toThrow(why);
  });
});

describe("calls to the outside", () => {
  const hands: AnyEffectAdapter = { idempotent: "none", call: async () => ({ kind: "done", value: null }) };
  const bringing = (name: string, effect: string) => ({ service: own(name), adapters: () => ({ [effect]: hands }) });
  const all = () => true;

  test("have the hands that their services bring, where these work", () => {
    const list = [own("plain"), bringing("gifts", "gift.wrap"), bringing("others", "other.call")];
    expect(Object.keys(ownAdapters(all, { "mail.send": hands }, list))).toEqual([
      "mail.send",
      "gift.wrap",
      "other.call",
    ]);
    expect(Object.keys(ownAdapters((name) => name === "others", {}, list))).toEqual(["other.call"]);
  });

  test("have one pair of hands each", () => {
    const twice = [bringing("gifts", "gift.wrap"), bringing("others", "gift.wrap")];
    expect(() => ownAdapters(all, {}, twice)).toThrow('Service "others" brings an adapter for gift.wrap');
    const theirs = [bringing("gifts", "mail.send")];
    expect(() => ownAdapters(all, { "mail.send": hands }, theirs)).toThrow(
      expect.objectContaining({ code: "CONTRACT_INVALID" }),
    );
  });
});

function sending(message: typeof giftSent) {
  return service("others", { on: [], sends: [message] });
}

function again(name: string) {
  return topic(name, { writers: ["gifts", "others"] });
}
