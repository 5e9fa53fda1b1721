import { describe, expect, it } from "vitest";
import { adjustmentId, dueAtMs, initialStockId, orderId, parseSpeed, sourceOf } from "../../src/replay/plan.ts";

const atMs = Date.UTC(2010, 11, 1, 8, 26);
const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("speed", () => {
  it("reads the option", () => {
    expect(["max", "1x", "100x", "0.5x"].map(parseSpeed)).toEqual([Infinity, 1, 100, 0.5]);
    for (const text of ["", "100", "0x", "-1x", "x", "fast"])
      expect(() => parseSpeed(text)).toThrow(`--speed "${text}"`);
  });

  it("divides the file's time", () => {
    expect(dueAtMs(100, 5_000, atMs, atMs)).toBe(5_000);
    expect(dueAtMs(100, 5_000, atMs, atMs + 60_000)).toBe(5_600);
    expect(dueAtMs(1, 5_000, atMs, atMs + 60_000)).toBe(65_000);
    expect(dueAtMs(Infinity, 5_000, atMs, atMs + 60_000)).toBe(5_000);
    expect(dueAtMs(1, 5_000, atMs, atMs - 60_000)).toBe(5_000);
  });
});

describe("ids", () => {
  it("are the same for ever: a change here would place every order of a resumed replay twice", () => {
    expect(orderId("shop", { invoice: "536365", atMs })).toBe("012ca109-c1c0-72d9-8772-ec11c406d7b0");
    expect(adjustmentId("shop", { invoice: "536365", lineNo: 7, atMs })).toBe("012ca109-c1c0-7f0c-893c-c5264e4a5a90");
    expect(initialStockId("shop", atMs, "85123A")).toBe("012ca109-c1c0-73f9-b71a-5646a8970f61");
  });

  it("are UUIDs of version 7 that sort by the invoices' time", () => {
    const ids = [0, 1, 60_000, 1e9].map((later) => orderId("shop", { invoice: "536365", atMs: atMs + later }));
    expect(ids.every((id) => uuid7.test(id))).toBe(true);
    expect(ids.toSorted()).toEqual(ids);
    expect(Number.parseInt(orderId("shop", { invoice: "1", atMs }).replace("-", "").slice(0, 12), 16)).toBe(atMs);
  });

  it("differ by source, invoice, line and purpose", () => {
    const ids = [
      orderId("shop", { invoice: "536365", atMs }),
      orderId("other", { invoice: "536365", atMs }),
      orderId("shop", { invoice: "536366", atMs }),
      adjustmentId("shop", { invoice: "536365", lineNo: 1, atMs }),
      adjustmentId("shop", { invoice: "536365", lineNo: 2, atMs }),
      adjustmentId("shop", { invoice: "5363651", lineNo: 2, atMs }),
      initialStockId("shop", atMs, "536365"),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("do not depend on where the file lies or how it is packed", () => {
    expect(["a/shop.csv", "/b/shop.csv.gz", "shop", "shop.CSV"].map(sourceOf)).toEqual([
      "shop",
      "shop",
      "shop",
      "shop",
    ]);
    expect(sourceOf("shop-2010.12.csv")).toBe("shop-2010.12");
  });
});
