import { expect, test } from "vitest";
import { shopInMemory, type ShopInMemory } from "./shop-in-memory.ts";

const minuteMs = 60_000;
const statuses = async (shop: ShopInMemory, ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await shop.orderOf(id))?.status));

test("a gateway that is away for an hour costs no order: all are taken, and all are carried out when it is back", async () => {
  await using shop = await shopInMemory();
  shop.mood.isAway = true;
  const ids: string[] = [];
  for (let minute = 0; minute < 60; minute++) {
    ids.push(`o-${minute}`);
    await shop.place(ids.at(-1)!);
    await shop.world.advance(minuteMs);
  }
  // The first of them have waited for four times their deadline.
  expect(new Set(await statuses(shop, ids))).toEqual(new Set(["reserved"]));
  expect(shop.ledger.sums.authorise.count).toBe(0);
  shop.mood.isAway = false;
  await shop.world.advance(2 * minuteMs);
  expect(new Set(await statuses(shop, ids))).toEqual(new Set(["completed"]));
  const { authorise, capture, void: released } = shop.ledger.sums;
  expect([authorise.count, capture.count, released.count, shop.ledger.repeats()]).toEqual([60, 60, 0, 0]);
  expect(shop.mailbox.map(({ kind }) => kind).toSorted()).toEqual([
    ...ids.map(() => "confirmed"),
    ...ids.map(() => "shipped"),
  ]);
});

test("a gateway that is there and says nothing of a card costs that order, at its deadline", async () => {
  await using shop = await shopInMemory();
  shop.mood.silentFor = "tok_silent";
  await shop.place("silent", "tok_silent");
  await shop.place("other");
  await shop.world.advance(14 * minuteMs);
  expect(await statuses(shop, ["silent", "other"])).toEqual(["reserved", "completed"]);
  await shop.world.advance(2 * minuteMs);
  expect(await shop.orderOf("silent")).toMatchObject({ status: "cancelled", reason: "payment-timeout" });
  expect(shop.mailbox.filter(({ orderId }) => orderId === "silent").map(({ kind }) => kind)).toEqual(["cancelled"]);
});

test("an order that waited for the gateway has half of its deadline left when that is back, and no more", async () => {
  await using shop = await shopInMemory();
  Object.assign(shop.mood, { isAway: true, silentFor: "tok_silent" });
  await shop.place("silent", "tok_silent");
  await shop.world.advance(60 * minuteMs);
  shop.mood.isAway = false;
  await shop.world.advance(7 * minuteMs);
  expect(await statuses(shop, ["silent"])).toEqual(["reserved"]);
  await shop.world.advance(2 * minuteMs);
  expect(await shop.orderOf("silent")).toMatchObject({ status: "cancelled", reason: "payment-timeout" });
});

test("an order that is cancelled while the gateway is away costs nothing when it is back", async () => {
  await using shop = await shopInMemory();
  shop.mood.isAway = true;
  await shop.place("o-1");
  await shop.world.advance(30 * minuteMs);
  await shop.cancel("o-1");
  await shop.world.advance(minuteMs);
  expect(await statuses(shop, ["o-1"])).toEqual(["cancelled"]);
  shop.mood.isAway = false;
  await shop.world.advance(2 * minuteMs);
  const { authorise, capture, void: released } = shop.ledger.sums;
  expect([authorise.count, capture.count, released.count]).toEqual([1, 0, 1]);
});
