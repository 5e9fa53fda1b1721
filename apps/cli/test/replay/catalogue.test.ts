import { describe, expect, it } from "vitest";
import { createCatalogue } from "../../src/replay/catalogue.ts";
import { line } from "./files.ts";

describe("catalogue", () => {
  it("takes each SKU's most frequent title and price", () => {
    const catalogue = createCatalogue();
    for (const [description, unitPrice] of [
      ["LAMP", "2.1"],
      ["lamp?", "2.55"],
      ["LAMP", "2.55"],
      ["", "3"],
    ] as const) {
      catalogue.take(line({ sku: "B", description, unitPrice }));
    }
    catalogue.take(line({ sku: "A", description: "", unitPrice: "0.001" }));
    expect(catalogue.products()).toEqual([
      { sku: "A", title: "A", price: "0.001", currency: "GBP" },
      { sku: "B", title: "LAMP", price: "2.55", currency: "GBP" },
    ]);
  });

  it("decides ties by the title that sorts first and the lowest price, whatever comes first", () => {
    const lines = [line({ description: "Z", unitPrice: "10.5" }), line({ description: "M", unitPrice: "9" })];
    for (const order of [lines, lines.toReversed()]) {
      const catalogue = createCatalogue();
      for (const item of order) catalogue.take(item);
      expect(catalogue.products()).toMatchObject([{ title: "M", price: "9" }]);
    }
  });
});
