import {
  orderCancelled,
  orderPlaced,
  shipmentDispatched,
  stockAdjust,
  type OrderCancelled,
  type OrderPlaced,
} from "@waybill/contracts";
import { specification, type Specification } from "@waybill/messaging/specification";
import { describe, expect, test } from "vitest";
import { adjustment, inventory, reservation, stock, transitions } from "../src/index.ts";

function placed(...lines: readonly (readonly [sku: string, quantity: number])[]): OrderPlaced {
  const priced = lines.map(([sku, quantity]) => ({ sku, quantity, unitPrice: "1", amount: quantity * 100 }));
  return { orderId: "o-1", placedAtMs: 0, customerId: "c-1", currency: "GBP", lines: priced, total: 0 };
}

const cancelled: OrderCancelled = {
  orderId: "o-1",
  customer: { id: "c-1", email: "ann@example.org" },
  reason: "requested",
  detail: "No.",
};

function stocked(levels: Record<string, readonly [onHand: number, reserved: number]>, lowAt = 2): Specification {
  const shop = specification(inventory());
  for (const [sku, [onHand, reserved]] of Object.entries(levels)) shop.given(stock(sku), { onHand, reserved, lowAt });
  return shop;
}

const typesOf = (done: { readonly sent: readonly { readonly type: string }[] }) => done.sent.map(({ type }) => type);

describe("an order is placed", () => {
  test("given enough, then all lines are held, and each movement says what it left", () => {
    const shop = stocked({ mug: [10, 1], cup: [5, 0] });
    expect(shop.when(orderPlaced, placed(["mug", 6], ["cup", 2])).sent).toEqual([
      {
        type: "stock.reserved",
        body: {
          orderId: "o-1",
          lines: [
            { sku: "mug", quantity: 6, onHand: 10, reserved: 7 },
            { sku: "cup", quantity: 2, onHand: 5, reserved: 2 },
          ],
        },
      },
    ]);
    expect(shop.state(reservation("o-1"))).toEqual({
      status: "held",
      lines: [
        { sku: "mug", quantity: 6 },
        { sku: "cup", quantity: 2 },
      ],
    });
  });

  test("given two lines of one SKU, then they are summed", () => {
    const shop = stocked({ mug: [10, 0] });
    const [told] = shop.when(orderPlaced, placed(["mug", 3], ["mug", 4])).sent;
    expect(told?.body).toMatchObject({ lines: [{ sku: "mug", quantity: 7, reserved: 7 }] });
  });

  test("given two lines of one SKU that fit only one by one, then the order is refused", () => {
    const shop = stocked({ mug: [10, 0] });
    expect(shop.when(orderPlaced, placed(["mug", 6], ["mug", 6])).sent).toEqual([
      { type: "stock.refused", body: { orderId: "o-1", short: [{ sku: "mug", wanted: 12, available: 10, short: 2 }] } },
    ]);
  });

  test("given too little of some, then nothing is held, and each short SKU is named with how much is missing", () => {
    const shop = stocked({ mug: [10, 8], cup: [5, 0], jar: [3, 3] });
    expect(shop.when(orderPlaced, placed(["mug", 6], ["cup", 2], ["jar", 1], ["ghost", 4])).sent).toEqual([
      {
        type: "stock.refused",
        body: {
          orderId: "o-1",
          short: [
            { sku: "mug", wanted: 6, available: 2, short: 4 },
            { sku: "jar", wanted: 1, available: 0, short: 1 },
            { sku: "ghost", wanted: 4, available: 0, short: 4 },
          ],
        },
      },
    ]);
    expect(shop.state(stock("cup"))).toMatchObject({ onHand: 5, reserved: 0 });
    expect(shop.state(reservation("o-1"))).toEqual({ status: "refused", lines: [] });
  });

  test("given the last pieces, then the order that takes them gets them, and the SKU is out", () => {
    const shop = stocked({ mug: [6, 0] });
    expect(typesOf(shop.when(orderPlaced, placed(["mug", 6])))).toEqual(["stock.reserved", "stock.out"]);
  });

  test("given a reservation of any status, when the order comes again, then nothing happens", () => {
    for (const status of Object.keys(transitions) as (keyof typeof transitions)[]) {
      const shop = stocked({ mug: [10, 0] });
      shop.given(reservation("o-1"), { status, lines: [{ sku: "mug", quantity: 6 }] });
      expect(shop.when(orderPlaced, placed(["mug", 6])).sent).toEqual([]);
      expect(shop.state(stock("mug"))).toMatchObject({ onHand: 10, reserved: 0 });
    }
  });
});

describe("an order is cancelled", () => {
  test("given held goods, then they are released", () => {
    const shop = stocked({ mug: [10, 7] });
    shop.given(reservation("o-1"), { status: "held", lines: [{ sku: "mug", quantity: 6 }] });
    expect(shop.when(orderCancelled, cancelled).sent).toEqual([
      {
        type: "stock.released",
        body: { orderId: "o-1", lines: [{ sku: "mug", quantity: 6, onHand: 10, reserved: 1 }] },
      },
    ]);
    expect(shop.when(orderCancelled, cancelled).sent).toEqual([]);
    expect(shop.state(stock("mug"))).toMatchObject({ onHand: 10, reserved: 1 });
  });

  test("given an SKU that was gone, then it is back", () => {
    const shop = stocked({ mug: [6, 6] });
    shop.given(reservation("o-1"), { status: "held", lines: [{ sku: "mug", quantity: 6 }] });
    expect(typesOf(shop.when(orderCancelled, cancelled))).toEqual(["stock.released", "stock.back"]);
  });

  test("given nothing held, then nothing happens", () => {
    const shop = stocked({ mug: [10, 7] });
    expect(shop.when(orderCancelled, cancelled).sent).toEqual([]);
    shop.given(reservation("o-1"), { status: "refused", lines: [] });
    expect(shop.when(orderCancelled, cancelled).sent).toEqual([]);
  });
});

describe("a shipment is dispatched", () => {
  test("given held goods, then they leave the books once", () => {
    const shop = stocked({ mug: [10, 7] });
    shop.given(reservation("o-1"), { status: "held", lines: [{ sku: "mug", quantity: 6 }] });
    expect(shop.when(shipmentDispatched, { orderId: "o-1" }).sent).toEqual([
      { type: "stock.shipped", body: { orderId: "o-1", lines: [{ sku: "mug", quantity: 6, onHand: 4, reserved: 1 }] } },
    ]);
    expect(shop.when(shipmentDispatched, { orderId: "o-1" }).sent).toEqual([]);
    expect(shop.state(stock("mug"))).toMatchObject({ onHand: 4, reserved: 1 });
  });

  test("given no reservation yet, then it waits for its cause", () => {
    expect(() => stocked({}).when(shipmentDispatched, { orderId: "o-1" })).toThrow("has no reservation yet");
  });

  test("given goods that were released, then it is a matter for a person", () => {
    const shop = stocked({ mug: [10, 7] });
    shop.given(reservation("o-1"), { status: "released", lines: [{ sku: "mug", quantity: 6 }] });
    expect(() => shop.when(shipmentDispatched, { orderId: "o-1" })).toThrow("its goods are released");
    expect(shop.state(stock("mug"))).toMatchObject({ onHand: 10, reserved: 7 });
  });
});

describe("stock is adjusted", () => {
  const adjust = (quantity: number, more: { readonly adjustmentId?: string; readonly lowAt?: number } = {}) =>
    ({ adjustmentId: "a-1", sku: "mug", quantity, reason: "Count", ...more }) as const;

  test("given a new SKU, then it is there, with the low mark of the service", () => {
    const shop = specification(inventory({ lowAt: 9 }));
    expect(shop.when(stockAdjust, adjust(40)).sent).toEqual([
      {
        type: "stock.adjusted",
        body: { sku: "mug", adjustmentId: "a-1", quantity: 40, reason: "Count", onHand: 40, reserved: 0 },
      },
    ]);
    expect(shop.state(stock("mug"))).toEqual({ onHand: 40, reserved: 0, lowAt: 9 });
  });

  test("given the same adjustment twice, then it counts once", () => {
    const shop = stocked({ mug: [10, 0] });
    shop.when(stockAdjust, adjust(5));
    expect(shop.when(stockAdjust, adjust(5)).sent).toEqual([]);
    expect(shop.state(stock("mug"))).toMatchObject({ onHand: 15 });
    expect(shop.state(adjustment("a-1"))).toEqual({ sku: "mug" });
  });

  test("given reserved pieces, when it would leave fewer, then it is refused, and a repeat is too late to change that", () => {
    const shop = stocked({ mug: [10, 7] });
    expect(shop.when(stockAdjust, adjust(-4)).sent).toEqual([
      {
        type: "stock.adjustment-refused",
        body: {
          sku: "mug",
          adjustmentId: "a-1",
          quantity: -4,
          reason: "7 of 10 pieces are reserved for orders.",
          onHand: 10,
          reserved: 7,
        },
      },
    ]);
    expect(shop.state(stock("mug"))).toMatchObject({ onHand: 10, reserved: 7 });
    expect(shop.state(adjustment("a-1"))).toEqual({ sku: "mug", refused: "7 of 10 pieces are reserved for orders." });
    expect(shop.when(stockAdjust, adjust(-4)).sent).toEqual([]);
    expect(typesOf(shop.when(stockAdjust, adjust(-3, { adjustmentId: "a-2" })))).toEqual([
      "stock.adjusted",
      "stock.out",
    ]);
  });

  test("given less on hand than goes out, or more than can be counted, then it is refused", () => {
    const shop = stocked({ mug: [10, 0], jar: [999_999_999_999, 0] });
    expect(shop.when(stockAdjust, adjust(-11)).sent[0]?.body).toMatchObject({ reason: "Only 10 pieces are on hand." });
    const many = { adjustmentId: "a-2", sku: "jar", quantity: 2, reason: "Count" };
    expect(typesOf(shop.when(stockAdjust, many))).toEqual(["stock.adjustment-refused"]);
  });

  test("crossing the low mark is told once, downwards", () => {
    const shop = stocked({ mug: [10, 0] }, 5);
    const told = [-4, -1, -1, 3, -3].map((quantity, at) =>
      typesOf(shop.when(stockAdjust, adjust(quantity, { adjustmentId: `a-${at}` }))).slice(1),
    );
    expect(told).toEqual([[], ["stock.low"], [], [], ["stock.low"]]);
  });

  test("gone and back again are told, and back with few is not low a second time", () => {
    const shop = stocked({ mug: [1, 0] }, 5);
    expect(typesOf(shop.when(stockAdjust, adjust(-1)))).toEqual(["stock.adjusted", "stock.out"]);
    expect(typesOf(shop.when(stockAdjust, adjust(2, { adjustmentId: "a-2" })))).toEqual([
      "stock.adjusted",
      "stock.back",
    ]);
  });

  test("what is gone is not told again by an adjustment of nothing", () => {
    const shop = stocked({ mug: [0, 0] });
    expect(typesOf(shop.when(stockAdjust, adjust(0, { lowAt: 3 })))).toEqual(["stock.adjusted"]);
  });

  test("a low mark may be set without a movement, and speaks at once", () => {
    const shop = stocked({ mug: [10, 0] }, 5);
    expect(typesOf(shop.when(stockAdjust, adjust(0, { lowAt: 12 })))).toEqual(["stock.adjusted", "stock.low"]);
    expect(shop.state(stock("mug"))).toEqual({ onHand: 10, reserved: 0, lowAt: 12 });
  });
});

test("an order of many lines is one message", () => {
  const lines = Array.from({ length: 1_100 }, (_, at) => [`sku-${at % 900}`, 1] as const);
  const shop = stocked(Object.fromEntries(lines.map(([sku]) => [sku, [100, 0] as const])));
  const { sent } = shop.when(orderPlaced, placed(...lines));
  expect(sent).toHaveLength(1);
  expect((sent[0]!.body as { lines: unknown[] }).lines).toHaveLength(900);
});
