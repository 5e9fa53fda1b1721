import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { brokenLaws, copyOf, shopWithOrders, unsaid, type BrokenShop, type ShopOrders } from "./shop-with-orders.ts";

let base: string;
let orders: ShopOrders;
let shop: BrokenShop;
let copies = 0;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "waybill-laws-"));
  orders = await shopWithOrders(join(base, "shop"));
}, 60_000);
afterAll(() => rmSync(base, { recursive: true, force: true }));
beforeEach(() => {
  shop = copyOf(join(base, "shop"), join(base, `copy-${++copies}`));
});

/** Audits the shop and returns what is said of one law; no other law may be broken unless it is named. */
async function breachesOf(law: number, ...others: number[]) {
  const report = await shop.audit();
  expect(report.balanced).toBe(false);
  expect(brokenLaws(report)).toContain(law);
  for (const broken of brokenLaws(report)) expect([law, ...others]).toContain(broken);
  return report.breaches.filter((breach) => breach.law === law);
}

describe("a shop that was left in good order", () => {
  test("keeps all nine laws, each checked on something", async () => {
    const report = await shop.audit();
    expect(report.breaches).toEqual([]);
    expect(report.balanced).toBe(true);
    expect(orders.completed.length).toBeGreaterThan(10);
    expect(orders.cancelled.length).toBeGreaterThan(0);
    expect(orders.waiting).toHaveLength(3);
    for (const { checked, notChecked } of report.laws) {
      expect(checked).toBeGreaterThan(0);
      expect(notChecked).toBeUndefined();
    }
    // Those that wait for a dispatch, and one that is unpaid.
    expect(report.laws.find(({ law }) => law === 8)!.underWay).toBe(4);
  });
});

describe("law 1 is broken by", () => {
  test("a message that is gone from the middle of a topic", async () => {
    shop.log("payments", withoutOne());
    const [gap] = await breachesOf(1, 3, 9);
    expect(gap).toMatchObject({ what: expect.stringMatching(/missing messages of source|has read message/) });
  });

  test("a position that stands behind messages which were never taken", async () => {
    shop.change("update position set marks = '{}' where service = 'inventory' and topic = 'orders' and marks <> '{}'");
    const found = await breachesOf(1);
    expect(found[0]!.what).toContain("inventory stands at offset");
  });

  test("an order whose state is gone", async () => {
    const [id] = orders.completed;
    shop.change("delete from state where service = 'orders' and kind = 'order' and id = ?", id!);
    const found = await breachesOf(1, 6, 5);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ where: `order ${id}`, what: expect.stringContaining("there is no state of it") });
  });

  test("an order of which nothing at all is left but the log", async () => {
    const [id] = orders.completed;
    shop.change("delete from state where id = ?", id!);
    const found = await breachesOf(1, 7);
    expect(found).toHaveLength(1);
    expect(found[0]!.where).toBe(`order ${id}`);
  });

  test("an order that nobody asked for", async () => {
    shop.log("orders-in", (records) => records.map((one, at) => (at === 0 ? withBody(one, { type: "x.y" }) : one)));
    const found = await breachesOf(1);
    expect(found.map(({ what }) => what)).toContain("The log does not hold the message that asked for it.");
  });

  test("a database that is older than its log", async () => {
    shop.change("update lane set next_n = 5 where service = 'payments'");
    expect((await breachesOf(1))[0]!.what).toContain("which has only given 4");
  });

  test("a log that is damaged", async () => {
    shop.change(
      "update chunk set records = substr(records, 1, length(records) - 40) where off = (select max(off) from chunk)",
    );
    expect((await breachesOf(1, 3, 4, 9))[0]!.what).toContain("cannot be read further");
  });
});

describe("law 2 is broken by", () => {
  test("a capture that the gateway did twice", async () => {
    const n = "(select o.n from operation o where o.kind = 'capture' order by o.n limit 1)";
    shop.changeGateway(`insert into operation (key, payment, kind, amount, currency, result, at_ms)
      select key, payment, kind, amount, currency, result, at_ms from operation where n = ${n}`);
    const found = await breachesOf(2, 7);
    expect(found.map(({ what }) => what).join()).toMatch(/for one idempotency key.*|taken its money 2 times/);
    expect(found.some(({ fix }) => fix?.kind === "gateway" && fix.path.endsWith("/refund"))).toBe(true);
  });

  test("two calls to the outside with one id", async () => {
    const row =
      "'payments', ?, 'k', 'gateway', ?, 'one-id', 'payment.capture', 1, '{}', 0, null, 0, null, 'c', 'c', null";
    for (const n of [1, 2]) shop.change(`insert into effect values (${row})`, n, n);
    expect((await breachesOf(2))[0]!.what).toBe("2 calls to the outside share the id one-id.");
  });
});

describe("law 3 is broken by", () => {
  test("two messages of a source that have changed places", async () => {
    shop.log("orders", swapFirstOfOnePartition);
    const found = await breachesOf(3, 1, 9);
    expect(found.length).toBeGreaterThan(0);
  });

  test("a message in another partition than its key's", async () => {
    shop.log("products", (records) => records.map((one) => one.with(0, ((one[0] as number) + 1) % 32)));
    expect((await breachesOf(3, 1, 9)).some(({ what }) => what.includes("and belongs in"))).toBe(true);
  });

  test("an order that is shipped before it is confirmed", async () => {
    shop.log("orders", (records) =>
      records.map((one) => (one[2] === "order.confirmed" ? one.with(2, "order.shipped") : one)),
    );
    expect((await breachesOf(3, 9))[0]!.what).toContain("cannot follow");
  });
});

describe("law 4 is broken by", () => {
  test("pieces that are gone from the shelf, and an adjustment would put it right", async () => {
    shop.state("inventory", "stock", "pen", (stock) => (stock["onHand"] = (stock["onHand"] as number) - 7));
    const found = await breachesOf(4);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      where: "SKU pen",
      fix: { type: "stock.adjust", body: { sku: "pen", quantity: 7 } },
    });
    expect(found[0]!.sinceMs).toBeGreaterThan(0);
  });

  test("a number of reserved pieces that nobody has reserved", async () => {
    shop.state("inventory", "stock", "cup", (stock) => (stock["reserved"] = 400));
    expect((await breachesOf(4))[0]!.what).toContain(
      "400 pieces are reserved, and the reservations of orders add up to",
    );
  });

  test("more reserved than there is", async () => {
    shop.state("inventory", "stock", "cup", (stock) => (stock["reserved"] = 4_000));
    expect((await breachesOf(4)).some(({ what }) => what.includes("on hand and 4000 reserved"))).toBe(true);
  });

  test("a movement that does not follow from the one before it", async () => {
    let at = 0;
    shop.log("stock", (records) =>
      records.map((one) => (one[2] === "stock.shipped" && at++ === 2 ? withQuantityOff(one) : one)),
    );
    expect((await breachesOf(4))[0]!.what).toContain("by the movements before it that is");
  });

  test("stock that the log never told of", async () => {
    shop.change(
      "insert into state select service, kind, 'ghost', home, version, schema, body from state where kind = 'stock' and id = 'pen'",
    );
    expect((await breachesOf(4)).map(({ where }) => where)).toContain("SKU ghost");
  });
});

describe("law 5 is broken by", () => {
  test("goods that are held for an order that is over", async () => {
    const [id] = orders.completed;
    shop.state("inventory", "reservation", id!, (reservation) => (reservation["status"] = "held"));
    const found = await breachesOf(5, 4, 9);
    expect(found[0]).toMatchObject({ where: `order ${id}`, what: expect.stringContaining("the order is completed") });
  });

  test("goods that are held without a deadline, and a cancel would put it right", async () => {
    const [id] = orders.waiting;
    shop.state("orders", "order", id!, (order) => (order["status"] = "reserved"));
    shop.log("orders", unsaid(id!, "order.confirmed"));
    const found = await breachesOf(5, 8);
    expect(found[0]).toMatchObject({
      what: expect.stringContaining("without a payment deadline"),
      fix: { type: "order.cancel", body: { orderId: id } },
    });
  });

  test("a deadline that passed and was forgotten", async () => {
    const [id] = orders.waiting;
    shop.state("orders", "order", id!, (order) => (order["status"] = "reserved"));
    shop.change("insert into timer values ('orders', 0, ?, 'payment-deadline', 1, 1, 'null', 'c', 'c')", id!);
    expect((await breachesOf(5, 9))[0]!.what).toContain("has passed and nothing came of it");
  });

  test("a confirmed order without goods", async () => {
    const [id] = orders.waiting;
    shop.change("delete from state where kind = 'reservation' and id = ?", id!);
    expect((await breachesOf(5, 4, 9))[0]!.what).toContain("nothing is reserved for it");
  });

  test("goods that left without a shipment, and other goods than were wanted", async () => {
    const [id, other] = orders.completed;
    shop.change("delete from state where kind = 'shipment' and id = ?", id!);
    shop.state(
      "inventory",
      "reservation",
      other!,
      (one) => ((one["lines"] as { quantity: number }[])[0]!.quantity += 1),
    );
    const found = await breachesOf(5, 6, 9);
    expect(found.map(({ where }) => where).sort()).toEqual([`order ${id}`, `order ${other}`].sort());
  });
});

interface Entry {
  kind: string;
  minor: number;
  operationId: string;
}
const ledgerOf = (payment: Record<string, unknown>) => payment["ledger"] as Entry[];

describe("law 6 is broken by", () => {
  test("more captured than was authorised", async () => {
    const [id] = orders.completed;
    shop.state("payments", "payment", id!, (payment) => (ledgerOf(payment)[1]!.minor += 100));
    expect((await breachesOf(6, 7)).map(({ what }) => what).join(" ")).toContain("is captured, and only");
  });

  test("more refunded than was captured", async () => {
    const [id] = orders.completed;
    shop.state("payments", "payment", id!, (payment) =>
      ledgerOf(payment).push({
        kind: "refunded",
        minor: 1_000_000,
        operationId: "x",
        paymentId: "p",
        atMs: 1,
      } as Entry),
    );
    expect((await breachesOf(6, 7, 9)).map(({ what }) => what).join(" ")).toContain("is refunded, and only");
  });

  test("two captures", async () => {
    const [id] = orders.completed;
    shop.state("payments", "payment", id!, (payment) => ledgerOf(payment).push({ ...ledgerOf(payment)[1]! }));
    expect((await breachesOf(6, 2)).map(({ what }) => what).join(" ")).toContain("captured 2 times");
  });

  test("money of goods that have not left", async () => {
    const [id] = orders.completed;
    shop.state("fulfilment", "shipment", id!, (shipment) => (shipment["status"] = "waiting"));
    expect((await breachesOf(6, 5, 9))[0]!.what).toContain("its goods have not left");
  });

  test("an order that thinks it is paid", async () => {
    const [id] = orders.completed;
    shop.state("orders", "order", id!, (order) => (order["captured"] = 1));
    expect((await breachesOf(6))[0]!.what).toContain("The order knows of");
  });
});

describe("law 7 is broken by", () => {
  test("an amount that differs by a penny", async () => {
    shop.changeGateway("update operation set amount = amount + 1 where n = (select min(n) from operation)");
    expect((await breachesOf(7))[0]!.what).toContain("the gateway says");
  });

  test("a capture that we have booked and the gateway never did", async () => {
    const [id] = orders.completed;
    shop.changeGateway(
      "delete from operation where kind = 'capture' and payment = (select n from payment where reference = ?)",
      id!,
    );
    const found = await breachesOf(7);
    expect(found.map(({ what }) => what).join(" ")).toContain("the gateway has no such operation");
  });

  test("money that the gateway has taken and we know nothing of", async () => {
    const [id] = orders.completed;
    shop.state("payments", "payment", id!, (payment) => ledgerOf(payment).pop());
    shop.state("orders", "order", id!, (order) => (order["captured"] = 0));
    shop.log("payments", unsaid(id!, "payment.captured"));
    const found = await breachesOf(7, 6);
    expect(found[0]!.what).toContain("we have not booked it");
    expect(found[0]!.fix).toMatchObject({ kind: "gateway", path: expect.stringMatching(/refund$/) });
  });

  test("a charge that a person was asked about, and telling payments would put it right", async () => {
    const [id] = orders.completed;
    shop.state("payments", "payment", id!, (payment) => {
      ledgerOf(payment).pop();
      Object.assign(payment, { status: "attention", pending: "capture" });
    });
    shop.state("orders", "order", id!, (order) => (order["captured"] = 0));
    shop.log("payments", unsaid(id!, "payment.captured"));
    const found = await breachesOf(7, 6);
    expect(found[0]!.fix).toMatchObject({
      type: "payment.resolve",
      body: { orderId: id, operation: "capture", outcome: { kind: "done" } },
    });
  });

  test("debits that are not credits", async () => {
    shop.changeGateway("update entry set amount = amount + 5 where operation = 1 and amount > 0");
    expect((await breachesOf(7))[0]!.what).toBe("The debits and credits of an operation differ by 5.");
  });
});

describe("law 8 is broken by", () => {
  test("an order that nothing takes further", async () => {
    const [id] = orders.waiting;
    shop.change("delete from state where kind = 'shipment' and id = ?", id!);
    const found = await breachesOf(8);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ where: `order ${id}`, what: expect.stringContaining("It is confirmed") });
    expect(found[0]!.fix).toBeUndefined();
  });

  test("an order whose goods were never decided upon, and a cancel would put it right", async () => {
    const [id] = orders.waiting;
    shop.state("orders", "order", id!, (order) => (order["status"] = "placed"));
    shop.log("orders", unsaid(id!, "order.reserved", "order.confirmed"));
    const found = await breachesOf(8, 5);
    expect(found[0]).toMatchObject({ where: `order ${id}`, fix: { type: "order.cancel", body: { orderId: id } } });
  });

  test("a cancelled order whose money was left where it is", async () => {
    const [id] = orders.cancelled;
    shop.state("orders", "order", id!, (order) => delete order["moneySettled"]);
    expect((await breachesOf(8))[0]!.what).toContain("It is cancelled with its payment");
  });

  test("a lane that has stopped", async () => {
    shop.change("update lane set stopped = 'GAP: something is missing' where service = 'payments'");
    expect((await breachesOf(8))[0]!.what).toBe("Lane payments/0 has stopped: GAP: something is missing");
  });
});

describe("law 9 is broken by", () => {
  test("an order that is not what its events tell", async () => {
    const [id] = orders.completed;
    shop.state("orders", "order", id!, (order) => (order["status"] = "unpaid"));
    expect((await breachesOf(9))[0]!.what).toBe("The order is shipped; by the log it is completed.");
  });

  test("a price that orders has and the catalogue never said", async () => {
    shop.state("orders", "product", "pen", (product) => (product["price"] = "0.01"));
    expect((await breachesOf(9))[0]!.what).toContain("orders has price as 0.01; by the log 2.55");
  });

  test("a list in which an order is missing", async () => {
    const [id] = orders.completed;
    shop.change("delete from state where service = 'listing' and id like ?", `t/%/${id}`);
    const found = await breachesOf(9);
    expect(found).toMatchObject([{ where: `order ${id}`, what: "It does not stand in the list of all orders." }]);
  });

  test("a product that is gone", async () => {
    shop.change("delete from state where service = 'catalogue' and id = 'hat'");
    expect((await breachesOf(9))[0]!.what).toContain("catalogue does not have it, and the log tells of it");
  });

  test("a shipment that nobody told of", async () => {
    const [id] = orders.waiting;
    shop.state("fulfilment", "shipment", id!, (shipment) => (shipment["status"] = "delivered"));
    expect((await breachesOf(9, 5, 8))[0]!.what).toContain("Its shipment is delivered");
  });
});

function withBody(record: unknown[], change: { type: string }): unknown[] {
  return record.with(2, change.type);
}

function withQuantityOff(record: unknown[]): unknown[] {
  const body = JSON.parse(record.at(-1) as string) as { lines: { quantity: number }[] };
  body.lines[0]!.quantity += 1;
  return [...record.slice(0, -1), JSON.stringify(body)];
}

/** Takes one message out of the first chunk, wherever in it that is: how many a wave writes together differs from run to run. */
function withoutOne(): (records: unknown[][]) => unknown[][] {
  let isOut = false;
  return (records) => {
    if (isOut) return records;
    isOut = true;
    return records.toSpliced(Math.min(3, records.length - 1), 1);
  };
}

/** Exchanges the first two messages of the first partition that has two. */
function swapFirstOfOnePartition(records: unknown[][]): unknown[][] {
  const first = records.findIndex((one, at) => records.some((other, later) => later > at && other[0] === one[0]));
  if (first < 0) return records;
  const second = records.findIndex((one, at) => at > first && one[0] === records[first]![0]);
  return records.with(first, records[second]!).with(second, records[first]!);
}
