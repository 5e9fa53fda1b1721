import { productPut, stockAdjust, type Currency } from "@waybill/contracts";
import { stock } from "@waybill/inventory";
import type { Publisher, World } from "@waybill/messaging";
import { product } from "@waybill/orders";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileName } from "@waybill/store-sqlite";
import type { Engine } from "./engine.ts";

/** A product of the sample, and how much of it a new shop has. */
export interface SampleProduct {
  readonly sku: string;
  readonly title: string;
  readonly price: string;
  readonly currency: Currency;
  readonly onHand: number;
}

const sampleFile = fileURLToPath(new URL("../sample/products-2010-12.jsonl", import.meta.url));
const pollMs = 20;

/** The products that come with the program. */
export function sampleProducts(): readonly SampleProduct[] {
  const lines = readFileSync(sampleFile, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as SampleProduct);
}

/** Whether a folder still wants its sample: it is new, or was left while the sample was being put in. */
export function openSeed(folder: string, isWanted: boolean): { readonly isDue: boolean; done(): void } {
  const marker = join(folder, "seeding");
  const isNew = !existsSync(join(folder, fileName));
  const isDue = existsSync(marker) || (isNew && isWanted);
  if (isDue) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(marker, "The sample is not in yet: the next start puts it in.\n");
  }
  return { isDue, done: () => rmSync(marker, { force: true }) };
}

/**
 * Sends products and stock in through the doors like anybody else, and waits until orders knows the prices and inventory
 * the stock. Doing it again changes nothing.
 */
export async function seed(
  engine: Engine,
  publisher: Publisher,
  world: World,
  products: readonly SampleProduct[],
): Promise<void> {
  await Promise.all(
    products.flatMap(({ onHand, ...one }) => [
      publisher.publish(productPut, { ...one, active: true }),
      publisher.publish(stockAdjust, {
        adjustmentId: `sample/${one.sku}`,
        sku: one.sku,
        quantity: onHand,
        reason: "The sample's first stock",
      }),
    ]),
  );
  const isIn = async ({ sku }: SampleProduct) =>
    (await engine.durable.state("orders", product, sku)) !== undefined &&
    (await engine.durable.state("inventory", stock, sku)) !== undefined;
  for (const one of products) while (!(await isIn(one))) await world.sleep(pollMs);
}
