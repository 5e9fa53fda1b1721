import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sampleFile } from "../apps/cli/src/replay/sample.ts";
import { initialStock } from "../apps/cli/src/replay/stock.ts";
import { survey } from "../apps/cli/src/replay/survey.ts";

/** Where a new shop's products come from; `node scripts/sample-products.ts` writes it anew. */
export const productsFile = fileURLToPath(new URL("../apps/server/sample/products-2010-12.jsonl", import.meta.url));

/** The sample month's products, each at its most frequent price, and ample stock of it; one product a line. */
export async function sampleProductsText(): Promise<string> {
  const { products, movements } = await survey(sampleFile);
  const stock = initialStock(movements, "ample");
  const lines = products.map(({ sku, title, price, currency }) =>
    JSON.stringify({ sku, title, price, currency, onHand: stock.get(sku) ?? 0 }),
  );
  return `${lines.join("\n")}\n`;
}

if (import.meta.main) writeFileSync(productsFile, await sampleProductsText());
