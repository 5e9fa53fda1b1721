import { allMessages, allTopics, orderCompleted } from "@waybill/contracts";
import { command, event, service, topic, when } from "@waybill/messaging";
import { shopContract, shopServices } from "@waybill/server";
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

function sending(message: typeof giftSent) {
  return service("others", { on: [], sends: [message] });
}

function again(name: string) {
  return topic(name, { writers: ["gifts", "others"] });
}
