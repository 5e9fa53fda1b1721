import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { invoiceLines } from "../../src/replay/lines.ts";
import { all, header, withFile } from "./files.ts";

const first = "1,536365,gift_0001_20,  WHITE HEART ,6,2010-12-01T08:26,2.1,17850,United Kingdom";

async function linesOf(content: string | Uint8Array) {
  return withFile(content, (file) => all(invoiceLines(file)));
}

describe("reading invoice lines", () => {
  const read = {
    lineNo: 1,
    invoice: "536365",
    sku: "GIFT_0001_20",
    description: "WHITE HEART",
    quantity: 6,
    ts: "2010-12-01T08:26",
    atMs: Date.UTC(2010, 11, 1, 8, 26),
    unitPrice: "2.1",
    customerId: "17850",
    country: "United Kingdom",
  };

  it("reads plain and gzip files alike, whatever they are called", async () => {
    expect(await linesOf(`${header}\n${first}\n`)).toEqual([read]);
    expect(await linesOf(gzipSync(`${header}\n${first}\n`))).toEqual([read]);
  });

  it("takes a byte order mark, CRLF, quotes, and columns in another order", async () => {
    expect(await linesOf(`\uFEFF${header}\r\n${first}\r\n`)).toEqual([read]);
    const quoted = first.replace("  WHITE HEART ", '"WHITE, ""HEART"""');
    expect(await linesOf(`${header}\n${quoted}\n`)).toEqual([{ ...read, description: 'WHITE, "HEART"' }]);
    const turned = [header, first].map((text) => text.split(",").toReversed().join(",")).join("\n");
    expect(await linesOf(turned)).toEqual([read]);
  });

  it("gives nothing for a file with only a header", async () => {
    expect(await linesOf(`${header}\n`)).toEqual([]);
  });

  it.each([
    ["", "is empty. Its first line must be: line_no,"],
    ["a,b\n1,2\n", "line 1: no column line_no, invoice_no,"],
    [`${header}\n${first.replace(",6,", ",six,")}\n`, 'line 2, column quantity: "six" is not a whole number'],
    [`${header}\n${first.replace(",6,", ",6.5,")}\n`, 'line 2, column quantity: "6.5" is not a whole number'],
    [`${header}\n${first.replace(",6,", ",1000001,")}\n`, 'line 2, column quantity: "1000001" is more than 1000000'],
    [`${header}\n${first.replace("2.1", "2,1")}\n`, "line 2"],
    [`${header}\n${first.replace("2.1", "2.12345")}\n`, 'line 2, column unit_price: "2.12345" is not a price'],
    [`${header}\n${first.replace("12-01", "02-30")}\n`, "line 2, column invoice_ts:"],
    [`${header}\n${first.replace("T08:26", " 08:26")}\n`, "line 2, column invoice_ts:"],
    [`${header}\n${first.replace("gift_0001_20", " ")}\n`, 'line 2, column stock_code: " " must not be empty'],
    [`${header}\n${first}\n${first}\n`, 'line 3, column line_no: "1" does not rise: the line before has 1'],
    [`${header}\n1,536365,"${"x".repeat(70_000)}`, "exceed the maximum number of tolerated bytes"],
  ])("refuses %j", async (content, reason) => {
    await expect(linesOf(content)).rejects.toMatchObject({
      code: "FILE_INVALID",
      message: expect.stringContaining(reason),
    });
  });

  it("says when gzip data is cut off, after giving what it could read", async () => {
    const whole = gzipSync(`${header}\n${first}\n`);
    const error = {
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("damaged or cut-off gzip data"),
    };
    await expect(linesOf(whole.subarray(0, whole.length - 10))).rejects.toMatchObject(error);
  });

  it("says when there is no such file, or it is a folder", async () => {
    await expect(all(invoiceLines("/no/such/file.csv"))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: "/no/such/file.csv: no such file.",
    });
    await expect(all(invoiceLines(import.meta.dirname))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: expect.stringContaining("is a folder"),
    });
  });

  it("can be left early", async () => {
    await withFile(`${header}\n${first}\n`, async (file) => {
      for await (const line of invoiceLines(file)) {
        expect(line.lineNo).toBe(1);
        break;
      }
    });
  });
});
