import { describe, expect, it } from "vitest";
import { createSequence, plays, type Play } from "../../src/replay/invoices.ts";
import { kindOf } from "../../src/replay/kinds.ts";
import { survey } from "../../src/replay/survey.ts";
import { all, csv, line, timeAt, withFile, type Row } from "./files.ts";

async function playsOf(rows: readonly Row[]): Promise<Play[]> {
  return withFile(csv(rows), async (file) => all(plays(file, (await survey(file)).interrupted)));
}

/** A play in short: `536365: 1 2` for an order with its line numbers, `+3` for an adjustment. */
function short(play: Play): string {
  return play.kind === "order"
    ? `${play.invoice}: ${play.lines.map((item) => item.lineNo).join(" ")}`
    : `${play.quantity > 0 ? "+" : ""}${play.quantity}`;
}

describe("what a line is", () => {
  it.each([
    [{}, "sale"],
    [{ unitPrice: "0.001" }, "sale"],
    [{ unitPrice: "0" }, "adjustment"],
    [{ unitPrice: "0.00" }, "adjustment"],
    [{ quantity: -3, unitPrice: "0" }, "adjustment"],
    [{ quantity: -3 }, "adjustment"],
    [{ quantity: 0 }, "zeroQuantity"],
    [{ unitPrice: "-1.5" }, "negativePrice"],
    [{ invoice: "C536379", quantity: -1 }, "cancellation"],
    [{ invoice: "A563185" }, "badDebt"],
    [{ invoice: "5363651" }, "unknownInvoice"],
  ] as const)("%j is %s", (over, kind) => {
    expect(kindOf(line(over))).toBe(kind);
  });
});

describe("plays", () => {
  it("makes an order of an invoice, keeping lines that share a SKU apart", async () => {
    const [order] = await playsOf([
      ["536365", "85123a", 6, 27, "2.55"],
      ["536365", "85123A", 2, 26, "2.1"],
    ]);
    expect(order).toEqual({
      kind: "order",
      invoice: "536365",
      ts: timeAt(26),
      atMs: Date.UTC(2010, 11, 1, 8, 26),
      customer: { id: "17850", email: "17850@customers.example" },
      country: "EIRE",
      lines: [
        { lineNo: 1, sku: "85123A", quantity: 6, unitPrice: "2.55" },
        { lineNo: 2, sku: "85123A", quantity: 2, unitPrice: "2.1" },
      ],
    });
  });

  it("names a customer that the invoice does not", async () => {
    const [order] = await playsOf([["536365", "71053", 1, 26, "1", ""]]);
    expect(order).toMatchObject({
      customer: { id: "guest-536365", email: "guest-536365@customers.example" },
    });
  });

  it("takes an order's time from its sale lines alone", async () => {
    const [adjustment, order] = await playsOf([
      ["536365", "71053", 5, 20, "0"],
      ["536365", "71053", 1, 30, "1"],
    ]);
    expect(adjustment).toMatchObject({
      kind: "adjustment",
      ts: timeAt(20),
      lineNo: 1,
      invoice: "536365",
    });
    expect(order).toMatchObject({ kind: "order", ts: timeAt(30) });
  });

  it("gives the reason of an adjustment, or says that there is none", async () => {
    const found = await playsOf([
      ["536365", "71053", -5, 20, "0", "", "wet boxes"],
      ["536366", "71053", 5, 20, "0", "", ""],
    ]);
    expect(found).toMatchObject([
      { quantity: -5, reason: "wet boxes" },
      { quantity: 5, reason: "unspecified" },
    ]);
  });

  it("keeps file order: an order stands where its first sale line stands", async () => {
    const found = await playsOf([
      ["536365", "71053", 1, 20, "1"],
      ["536366", "71053", -7, 20, "0"],
      ["536365", "71054", 1, 21, "1"],
      ["C36367", "71054", -1, 21, "1"],
      ["536365", "71055", 1, 21, "1"],
      ["536368", "71053", 1, 22, "1"],
      ["536369", "71053", 4, 22, "0"],
    ]);
    expect(found.map(short)).toEqual(["536365: 1 3 5", "-7", "536368: 6", "+4"]);
  });

  it("puts an invoice together that other orders interrupt, more than once", async () => {
    const found = await playsOf([
      ["536365", "71053", 1, 20, "1"],
      ["536366", "71053", 1, 20, "1"],
      ["536365", "71054", 1, 21, "1"],
      ["536367", "71053", 1, 21, "1"],
      ["536366", "71054", 1, 21, "1"],
      ["536365", "71055", 1, 22, "1"],
      ["536368", "71053", 1, 22, "1"],
    ]);
    expect(found.map(short)).toEqual(["536365: 1 3 6", "536366: 2 5", "536367: 4", "536368: 7"]);
  });

  it("gives an order as soon as the next one begins, so that memory stays bounded", () => {
    const sequence = createSequence(new Map());
    sequence.take(line({ invoice: "100000" }));
    expect(sequence.next()).toBeUndefined();
    for (let invoice = 100_001; invoice < 105_000; invoice += 1) {
      sequence.take(line({ invoice: String(invoice) }));
      expect(sequence.next()).toMatchObject({ invoice: String(invoice - 1) });
      expect(sequence.next()).toBeUndefined();
    }
    sequence.end();
    expect(sequence.next()).toMatchObject({ invoice: "104999" });
    expect(sequence.next()).toBeUndefined();
  });

  it("refuses a file that would make it hold too much", () => {
    const sequence = createSequence(new Map([["536365", 999_999]]));
    const fill = (): void => {
      for (let lineNo = 1; lineNo <= 200_001; lineNo += 1)
        sequence.take(line({ lineNo, quantity: lineNo === 1 ? 1 : -1 }));
    };
    expect(fill).toThrow(/Invoice 536365 of .* is spread over more than 200000 lines/);
  });
});
